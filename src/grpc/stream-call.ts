// What every stream has around its messages: room, the caller, the end, and one record. The same checks as unary.ts.
import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import type { CallFacts } from '../telemetry/call-log.js';
import { GRPC_FRAME_HEADER_BYTES } from './grpc-frame.js';
import type { CallDeps } from './method.js';
import { readRequestId } from './request-id.js';
import { createTrailer, toCodeName, toServiceError } from './status.js';

/** For a client to read its end, and what waits before it. */
const END_MS = 10_000;
/** For a client to read an answer. */
const READ_WITHIN_MS = 60_000;

type Call = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** A stream while it is served. */
export interface ServedStream {
  readonly requestId: string;
  /** Aborted when the client cancelled, or when the server ends the stream. */
  readonly signal: AbortSignal;
  /** Throws what refuses the caller. Ask again where time passes: the policy may be another by then. */
  admit(): Caller;
  /** Resolves when the client may be sent more; rejects once the signal is aborted. */
  send(message: Buffer): Promise<void>;
  /**
   * As send(), of what is framed already and may be shared by many streams: grpc-js frames a message in a copy for each.
   * Not before the first message of a stream went by send(), and nothing by send() after it. Undefined = the client may
   * be sent more at once: most of what is told to watchers is, and a promise for each would be most of what it leaves.
   */
  sendFrame(frame: Buffer): Promise<void> | undefined;
  /**
   * As send(), and resolves when the message has left for the client. One that reads nothing for a minute is ended.
   */
  deliver(message: Buffer): Promise<void>;
  /** Aborted when nothing more may be taken from the client; what was taken is answered. */
  readonly winding: AbortSignal;
  /** From now on `winding`; the stream ends with this once serve() is through. */
  windDown(reason: IntrospectdError): void;
}

export interface StreamWork {
  /** As in logs. */
  readonly name: string;
  /** Throws PERMISSION_MISSING. */
  authorize(caller: Caller): void;
  /** A server that stops lets it answer what is under way. */
  readonly windsDown?: true;
  /** Asked at the end, for the log. */
  describe?(): CallFacts;
  /** Resolves at the good end of the stream. Nothing may be done before admit(). */
  serve(stream: ServedStream): Promise<void>;
}

/** Never rejects. */
export async function runStream(deps: CallDeps, call: Call, work: StreamWork): Promise<void> {
  const requestId = readRequestId(call.metadata);
  await settle(deps, call, work, requestId).catch(() => call.destroy());
}

async function settle(deps: CallDeps, call: Call, work: StreamWork, requestId: string): Promise<void> {
  const startedMs = performance.now();
  const stop = new AbortController();
  let error: unknown;
  let leave: (() => void) | undefined;
  let callerName: string | undefined;
  let isOver = false;
  const wind = new AbortController();
  const requireOpen = () => {
    if (stop.signal.aborted || isOver) throw new Error('the stream is over');
  };
  const windDown = (reason: IntrospectdError) => {
    error ??= reason;
    wind.abort();
  };
  const cut = (reason: IntrospectdError) => {
    error = reason;
    stop.abort();
    wind.abort();
  };
  call.once('cancelled', () => {
    stop.abort();
    wind.abort();
  });
  try {
    leave = deps.inFlight.enter((reason) => (work.windsDown && !wind.signal.aborted ? windDown : cut)(reason));
    await work.serve({
      requestId,
      signal: stop.signal,
      admit: () => {
        const caller = deps.findCaller(call);
        callerName = caller.name;
        work.authorize(caller);
        return caller;
      },
      send: async (message) => {
        requireOpen();
        if (!call.write(message)) await untilDrained(call, stop.signal);
      },
      sendFrame: (frame) => {
        requireOpen();
        const stream = findHttp2Stream(call);
        const isRoom = stream === undefined ? call.write(frame.subarray(GRPC_FRAME_HEADER_BYTES)) : stream.write(frame);
        return isRoom ? undefined : untilDrained(stream ?? call, stop.signal);
      },
      deliver: (message) => {
        const unread = setTimeout(() => cut(doesNotRead()), READ_WITHIN_MS).unref();
        return write(call, message, stop.signal).finally(() => clearTimeout(unread));
      },
      winding: wind.signal,
      windDown,
    });
  } catch (thrown) {
    // An aborted wait is the end that was asked for; why is in `error` already.
    if (!stop.signal.aborted) error = thrown ?? new Error('nothing was thrown');
  } finally {
    isOver = true;
    leave?.();
  }
  if (!call.cancelled) {
    cutLater(call);
    if (error === undefined) call.end(createTrailer(requestId));
    else call.emit('error', toServiceError(error, requestId));
  }
  const settled = { code: toCodeName(error), error, caller: callerName, durationMs: performance.now() - startedMs };
  deps.observer.observe({ path: call.getPath(), ...settled });
  if (error === undefined && !deps.callLog.writesSuccesses()) return;
  deps.callLog.write({ method: work.name, ...settled, requestId, facts: work.describe?.() ?? {} });
}

/** Rejects once the signal is aborted. */
async function untilDrained(writable: Call | ServerHttp2Stream, signal: AbortSignal): Promise<void> {
  await once(writable, 'drain', { signal });
}

/** Resolves when HTTP/2 took all of it; rejects once the signal is aborted. */
function write(call: Call, message: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('the stream is over'));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort);
    call.write(message, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

function doesNotRead(): IntrospectdError {
  return new IntrospectdError('OVERLOADED', 'the client does not read its answers');
}

/** Without it, a client that does not read keeps the stream, and what waits on it, for as long as its connection lives. */
function cutLater(call: Call): void {
  const stream = findHttp2Stream(call);
  if (stream === undefined || stream.closed) return;
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM), END_MS).unref();
  stream.once('close', () => clearTimeout(timer));
}

/** grpc-js 1.14 keeps it private; a version that moves it costs what it is used for, no more. */
export function findHttp2Stream(call: object): ServerHttp2Stream | undefined {
  return (call as { readonly call?: { readonly stream?: ServerHttp2Stream } }).call?.stream;
}
