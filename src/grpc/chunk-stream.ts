// Streams of chunks. A chunk at a time is worked on and an answer at a time is on its way, in the order they came: a
// client that does not read is not read from, and what is held for it is two requests and two answers.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import type { CallDeps } from './method.js';
import { nextMessage } from './next-message.js';
import { runStream } from './stream-call.js';

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

/** Of one caller, so that it leaves room for others. */
const MAX_STREAMS_OF_CALLER = 16;

export function createChunkStreamAdapter(deps: CallDeps): ChunkStreamAdapter {
  return (method) => {
    const streams = new Map<string, number>();
    return (call) => {
      let count = 0;
      void runStream(deps, call, {
        name: method.name,
        authorize: (caller) => method.authorize(caller),
        windsDown: true,
        describe: () => ({ count }),
        serve: async (stream) => {
          const { name } = stream.admit();
          const leave = enter(streams, name);
          try {
            boundBuffer(call);
            const answer = method.open(stream);
            let sent = Promise.resolve();
            for (;;) {
              const message = await nextMessage(call, stream.winding);
              if (message === undefined) break;
              // Again: the policy may be another by now.
              const answered = await answer(message, stream.admit());
              if (answered === undefined) continue;
              await sent;
              count += answered.count;
              sent = stream.deliver(answered.bytes);
              // Waited for below.
              sent.catch(() => undefined);
            }
            await sent;
          } finally {
            leave();
          }
        },
      });
    };
  };
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
