// A good answer to a unary call, past grpc-js: to HTTP/2 in one write, with no header that says nothing. That is an eighth of
// the processor time of a call (docs/adr/0028). What a client is told is the same.
import type { ServerHttp2Stream } from 'node:http2';
import { toGrpcFrame } from './grpc-frame.js';
import { REQUEST_ID_KEY } from './request-id.js';

/** What of grpc-js 1.14 this reaches into. */
interface CallOfGrpcJs {
  readonly stream: ServerHttp2Stream;
  /** Headers are sent once, also where a status follows, such as that of a deadline. */
  metadataSent: boolean;
  /** Then there are trailers on their way, and no second ones are sent. */
  wantTrailers: boolean;
  /** Null unless grpc-js counts messages. */
  readonly callEventTracker: unknown;
}

// Not here: date, which gRPC has no use for; grpc-encoding and grpc-message, which would say "identity" and "OK".
const HEADERS = Object.freeze({
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
});
// Frozen, so that Node's copy of them has the same hidden class each time (docs/adr/0028).
const OPTIONS = Object.freeze({ waitForTrailers: true, sendDate: false });
const OK = Object.freeze({ 'grpc-status': 0 });

/**
 * False = nothing was done, and grpc-js has to answer: the call is over, was answered, or looks otherwise inside than it does
 * in the version this was written for.
 */
export function answerDirectly(call: object, message: Uint8Array, requestId: string | undefined): boolean {
  const inner = findInner(call);
  if (inner === undefined) return false;
  const { stream } = inner;
  if (inner.metadataSent || stream.destroyed || stream.closed) return false;
  inner.metadataSent = true;
  inner.wantTrailers = true;
  stream.respond(HEADERS, OPTIONS);
  const trailers = requestId === undefined ? OK : { ...OK, [REQUEST_ID_KEY]: requestId };
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(toGrpcFrame(message));
  return true;
}

function findInner(call: object): CallOfGrpcJs | undefined {
  const { call: inner } = call as { readonly call?: Partial<CallOfGrpcJs> };
  if (inner?.stream === undefined || inner.callEventTracker !== null) return undefined;
  return inner.metadataSent === undefined || inner.wantTrailers === undefined ? undefined : (inner as CallOfGrpcJs);
}
