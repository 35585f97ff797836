// Streams of chunks over node:http2 and mutual TLS, in a process of its own: each chunk is sent when one of those before it
// was answered. Counts answers by their frames; an answer that is an error, or a stream that ends, is a failure.
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { GRPC_FRAME_HEADER_BYTES } from '../src/grpc/grpc-frame.js';
import { answerParent } from './child.js';
import type { LoadCall, LoadTarget } from './http2-load.js';
import { createNumberedBody, type NextBody } from './numbered-body.js';

export type StreamQuestion =
  | { readonly kind: 'connect'; readonly target: LoadTarget; readonly call: LoadCall }
  | { readonly kind: 'run'; readonly windowMs: number };

export interface StreamAnswer {
  /** Chunks. */
  readonly answered: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** Of one stream: what keeps the server busy while an answer is on its way. */
const CHUNKS_AHEAD = 3;
const WINDOW_BYTES = 16 * 1024 * 1024;
/** StreamIntrospectResponse.batch, behind chunk_id. */
const BATCH_TAG = 0x12;
const TAG_OFFSET = GRPC_FRAME_HEADER_BYTES + 2;

let session: ClientHttp2Session | undefined;
let streams = 0;
let path = '';
let nextBody: NextBody = () => Buffer.alloc(0);

answerParent(async (question: StreamQuestion): Promise<StreamAnswer | undefined> => {
  if (question.kind === 'run') return run(question.windowMs);
  const { authority, tls } = question.target;
  ({ streams } = question.target);
  ({ path } = question.call);
  nextBody = createNumberedBody(Buffer.from(question.call.frame), question.call.numbering);
  session = connect(`https://${authority}`, {
    ...tls,
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  });
  await once(session, 'connect');
  session.setLocalWindowSize(WINDOW_BYTES);
  return undefined;
});

async function run(windowMs: number): Promise<StreamAnswer> {
  const startedMs = performance.now();
  const counts = await Promise.all(Array.from({ length: streams }, () => runStream(startedMs + windowMs)));
  const answered = counts.reduce((sum, count) => sum + count.answered, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  return { answered, failed, elapsedMs: performance.now() - startedMs };
}

function runStream(endMs: number): Promise<{ answered: number; failed: number }> {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session?.request(headers);
  if (stream === undefined) throw new Error('not connected');
  const count = { answered: 0, failed: 0 };
  let status: unknown;
  let rest: Buffer = Buffer.alloc(0);
  let open = 0;
  const send = () => {
    if (performance.now() < endMs) {
      open++;
      stream.write(nextBody());
    } else if (open === 0) stream.end();
  };
  stream.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  stream.on('data', (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    while (rest.length >= GRPC_FRAME_HEADER_BYTES) {
      const end = GRPC_FRAME_HEADER_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) break;
      if (rest[TAG_OFFSET] === BATCH_TAG) count.answered++;
      else count.failed++;
      rest = rest.subarray(end);
      open--;
      send();
    }
  });
  stream.on('error', () => undefined);
  for (let ahead = 0; ahead < CHUNKS_AHEAD; ahead++) send();
  return new Promise((resolve) => {
    stream.on('close', () => resolve(status === '0' ? count : { ...count, failed: count.failed + 1 }));
  });
}
