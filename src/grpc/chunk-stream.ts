// Streams of chunks. A chunk at a time is worked on and an answer at a time is on its way, in the order they came: a
// client that does not read is not read from, and what is held for it is two requests and two answers.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import type { CallDeps } from './method.js';
import { nextMessage } from './next-message.js';
import { toCodeName } from './status.js';
import { findHttp2Stream, runStream, type ServedStream } from './stream-call.js';

type BidiHandler = handleBidiStreamingCall<Buffer, Buffer>;
type Call = Parameters<BidiHandler>[0];

export interface ChunkMethod {
  /** As in logs. */
  readonly name: string;
  /** Throws PERMISSION_MISSING. */
  authorize(caller: Caller): void;
  /** Of one stream; gets its messages one after the other. */
  open(stream: OpenedStream): ChunkHandler;
}

export interface OpenedStream {
  readonly requestId: string;
  /** Aborted when nobody waits for answers any more. */
  readonly signal: AbortSignal;
}

/** Undefined = a message that has no answer. What it throws ends the stream. */
export type ChunkHandler = (message: Buffer, caller: Caller) => Promise<ChunkAnswer | undefined>;

export interface ChunkAnswer {
  readonly bytes: Buffer;
  /** How many tokens or entries it answers. */
  readonly count: number;
  /** What the whole chunk failed with, which the client was told in `bytes`. */
  readonly error: IntrospectdError | undefined;
}

export type ChunkStreamAdapter = (method: ChunkMethod) => BidiHandler;

const LOOK_EVERY_MS = 1000;
/** Of one caller, so that it leaves room for others. */
const MAX_STREAMS_OF_CALLER = 16;

export function createChunkStreamAdapter(deps: CallDeps): ChunkStreamAdapter {
  return (method) => {
    const streams = new Map<string, number>();
    return (call) => {
      const tally = { count: 0 };
      void runStream(deps, call, {
        name: method.name,
        authorize: (caller) => method.authorize(caller),
        windsDown: true,
        describe: () => ({ ...tally }),
        serve: async (stream) => {
          const leave = enter(streams, stream.admit().name);
          const stopLooking = windDownWithConnection(call, stream);
          try {
            boundBuffer(call);
            await serveChunks(deps, method, { call, stream, tally });
          } finally {
            stopLooking();
            leave();
          }
        },
      });
    };
  };
}

interface Serving {
  readonly call: Call;
  readonly stream: ServedStream;
  /** Tokens or entries that were answered. */
  readonly tally: { count: number };
}

async function serveChunks(deps: CallDeps, method: ChunkMethod, { call, stream, tally }: Serving): Promise<void> {
  const answer = method.open(stream);
  let sent = Promise.resolve();
  for (;;) {
    const message = await nextMessage(call, stream.winding);
    if (message === undefined) break;
    const startedMs = performance.now();
    // Again: the policy may be another by now.
    const caller = stream.admit();
    const answered = await answer(message, caller);
    if (answered === undefined) continue;
    record(deps, { method, call, caller, stream, answered, startedMs });
    await sent;
    tally.count += answered.count;
    sent = stream.deliver(answered.bytes);
    // Waited for above, or below.
    sent.catch(() => undefined);
  }
  await sent;
}

interface Settled extends Pick<Serving, 'call' | 'stream'> {
  readonly method: ChunkMethod;
  readonly caller: Caller;
  readonly answered: ChunkAnswer;
  readonly startedMs: number;
}

/** A chunk that failed stands in the log as a call does. */
function record({ observer, callLog }: CallDeps, settled: Settled): void {
  const { method, call, caller, stream, answered, startedMs } = settled;
  const { error, count } = answered;
  observer.observeChunk({ path: call.getPath(), error });
  if (error === undefined) return;
  callLog.write({
    ...{ method: method.name, caller: caller.name, error, requestId: stream.requestId },
    code: toCodeName(error),
    durationMs: performance.now() - startedMs,
    facts: { count },
  });
}

/**
 * A connection that has come of age is told to go, and half a minute later it is cut: a stream on it ends by itself
 * before that, with all that it took answered.
 */
function windDownWithConnection(call: Call, stream: ServedStream): () => void {
  const timer = setInterval(() => {
    if (findHttp2Stream(call)?.session?.closed !== true) return;
    stream.windDown(new IntrospectdError('DRAINING', 'the connection has come of age; go on in another'));
  }, LOOK_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** Throws OVERLOADED. */
function enter(streams: Map<string, number>, caller: string): () => void {
  const open = streams.get(caller) ?? 0;
  if (open >= MAX_STREAMS_OF_CALLER) {
    throw new IntrospectdError('OVERLOADED', 'the caller has too many streams open; retry');
  }
  streams.set(caller, open + 1);
  return () => {
    const left = (streams.get(caller) ?? 1) - 1;
    if (left > 0) streams.set(caller, left);
    else streams.delete(caller);
  };
}

/** grpc-js reads 16 messages ahead, of up to 4 MiB each, and has no option for it; a test watches the memory. */
function boundBuffer(call: Call): void {
  const { _readableState: state } = call as unknown as { readonly _readableState?: { highWaterMark: number } };
  if (state !== undefined) state.highWaterMark = 1;
}
