// Chunks through a bidirectional stream: some in flight, answers in the order of the chunks, each chunk answered once. What
// was sent and not answered when a stream ends is sent again on the next one.
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { type Backoff, pickDelayMs } from './backoff.js';
import { malformed } from './claims.js';
import { IntrospectionError } from './introspection-error.js';
import { toIntrospectionError } from './status-error.js';
import { aborted } from './unary-call.js';

/** What one rpc makes of a chunk. */
export interface ChunkProtocol<Chunk, Request, Response, Outcome> {
  /** A new stream, with whatever must come before the first chunk written. */
  open(): ClientDuplexStream<Request, Response>;
  /** How many outcomes the chunk must bring. One of none is answered without asking. */
  count(chunk: Chunk): number;
  toRequest(chunkId: number, chunk: Chunk): Request;
  /** An error is about the whole chunk. */
  read(response: Response): ChunkAnswer<Outcome>;
}

export interface ChunkAnswer<Outcome> {
  readonly chunkId: number;
  readonly outcomes: readonly Outcome[] | IntrospectionError;
}

export interface ChunkStreamOptions {
  /** Chunks that are in memory, asked for or answered and not taken yet: an integer from 1. */
  readonly concurrency: number;
  /** How long to go on trying without any answer, in milliseconds. */
  readonly maxStallMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Before each wait: why, and for how long. */
  readonly onRetry?: ((error: IntrospectionError, delayMs: number) => void) | undefined;
}

interface Job<Chunk, Outcome> {
  readonly id: number;
  readonly chunk: Chunk;
  isSent: boolean;
  outcomes: readonly Outcome[] | undefined;
}

const BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };
/** Connections are lost like this, and so is what will never work. */
const DOUBTFUL: readonly IntrospectionError['code'][] = ['UNKNOWN', 'INTERNAL'];
const MAX_DOUBTFUL = 5;
/** A peer that is silent for so long with chunks in its hands is given up; chunks wait behind live traffic for less. */
const SILENCE_MS = 30_000;
const LOOK_MS = 1_000;

/**
 * The outcomes of each chunk, in order. Takes a chunk from `chunks` only when there is room for it, so a slow reader of the
 * outcomes holds up the chunks, and memory is bounded.
 *
 * @throws IntrospectionError (from the loop) for what trying again does not help, or has not for `maxStallMs`
 */
export async function* streamChunks<Chunk, Request, Response, Outcome>(
  protocol: ChunkProtocol<Chunk, Request, Response, Outcome>,
  chunks: AsyncIterable<Chunk>,
  { concurrency, maxStallMs, signal, onRetry }: ChunkStreamOptions,
): AsyncGenerator<readonly Outcome[]> {
  const source = chunks[Symbol.asyncIterator]();
  const jobs: Job<Chunk, Outcome>[] = [];
  const answered = createBell();
  const room = createBell();
  let stream: ClientDuplexStream<Request, Response> | undefined;
  let held: NodeJS.Timeout | undefined;
  let failure: { readonly error: unknown } | undefined;
  let isExhausted = false;
  /** Of the source: all chunks before it are answered first. */
  let sourceFailure: { readonly error: unknown } | undefined;
  let nextId = 0;
  let failures = 0;
  let heardMs = 0;
  let progressMs = 0;

  /** Whoever reads may come for it later, or never. */
  function fail(error: unknown): void {
    failure ??= { error };
    signal?.removeEventListener('abort', onAbort);
    clearInterval(look);
    clearTimeout(held);
    const last = stream;
    stream = undefined;
    last?.end();
    last?.cancel();
    answered.ring();
    room.ring();
  }

  function flush(): void {
    if (held !== undefined || failure !== undefined) return;
    for (const job of jobs) {
      if (job.isSent || job.outcomes !== undefined) continue;
      stream ??= open();
      if (!jobs.some(({ isSent }) => isSent)) heardMs = performance.now();
      job.isSent = true;
      stream.write(protocol.toRequest(job.id, job.chunk));
    }
  }

  function open(): ClientDuplexStream<Request, Response> {
    const opened = protocol.open();
    opened.on('data', (response: Response) => {
      if (stream === opened) hear(response);
    });
    opened.on('error', (error: ServiceError) => end(opened, toIntrospectionError(error)));
    opened.on('end', () => end(opened, new IntrospectionError('UNAVAILABLE', 'the server ended the stream')));
    return opened;
  }

  function hear(response: Response): void {
    heardMs = performance.now();
    const { chunkId, outcomes } = protocol.read(response);
    const job = jobs.find(({ id, isSent }) => id === chunkId && isSent);
    if (job === undefined) {
      fail(malformed('a chunk that was not asked about'));
      return;
    }
    job.isSent = false;
    if (outcomes instanceof IntrospectionError) retry(outcomes);
    else if (outcomes.length !== protocol.count(job.chunk)) fail(malformed('not one outcome for every item'));
    else {
      job.outcomes = outcomes;
      failures = 0;
      progressMs = heardMs;
      answered.ring();
    }
  }

  /** Once for each stream. What it did not answer is as if it had never been sent. */
  function end(ended: ClientDuplexStream<Request, Response>, error: IntrospectionError): void {
    if (stream !== ended) return;
    stream = undefined;
    const lost = jobs.filter(({ isSent }) => isSent);
    for (const job of lost) job.isSent = false;
    if (lost.length > 0) retry(error);
  }

  /** Everything waits: what the server cannot take of one chunk it cannot take of another. */
  function retry(error: IntrospectionError): void {
    const delayMs = (error.retryDelayMs ?? 0) + pickDelayMs(BACKOFF, failures);
    failures += 1;
    if (!canPass(error, failures) || performance.now() + delayMs - progressMs > maxStallMs) {
      fail(error);
      return;
    }
    onRetry?.(error, delayMs);
    clearTimeout(held);
    held = setTimeout(() => {
      held = undefined;
      flush();
    }, delayMs);
  }

  const look = setInterval(() => {
    const isWaiting = stream !== undefined && jobs.some(({ isSent }) => isSent);
    if (!isWaiting || performance.now() - heardMs < SILENCE_MS) return;
    const silent = stream;
    if (silent === undefined) return;
    end(silent, new IntrospectionError('UNAVAILABLE', 'the server does not answer'));
    silent.cancel();
  }, LOOK_MS);

  async function takeNext(): Promise<IteratorResult<Chunk>> {
    try {
      return await source.next();
    } catch (error) {
      sourceFailure = { error };
      return { done: true, value: undefined };
    }
  }

  async function pull(): Promise<void> {
    for (;;) {
      while (jobs.length >= concurrency && failure === undefined) await room.heard();
      if (failure !== undefined) return;
      const next = await takeNext();
      if (next.done === true) break;
      if (jobs.every(({ outcomes }) => outcomes !== undefined)) progressMs = performance.now();
      const outcomes = protocol.count(next.value) === 0 ? [] : undefined;
      jobs.push({ id: nextId, chunk: next.value, isSent: false, outcomes });
      nextId = (nextId + 1) % 2 ** 32;
      if (outcomes === undefined) flush();
      else answered.ring();
    }
    isExhausted = true;
    answered.ring();
  }

  const onAbort = () => fail(aborted(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    void pull().catch(fail);
    for (;;) {
      if (failure !== undefined) throw failure.error;
      const outcomes = jobs[0]?.outcomes;
      if (outcomes !== undefined) {
        jobs.shift();
        room.ring();
        yield outcomes;
      } else if (isExhausted && jobs.length === 0) {
        if (sourceFailure !== undefined) throw sourceFailure.error;
        return;
      } else await answered.heard();
    }
  } finally {
    fail(undefined);
    // Not awaited: a source that waits for its next item may never hear of it.
    void source.return?.().catch(() => undefined);
  }
}

function canPass({ code, retryable }: IntrospectionError, failures: number): boolean {
  return retryable || code === 'CANCELLED' || (DOUBTFUL.includes(code) && failures < MAX_DOUBTFUL);
}

/** Rung once or many times before it is heard, it is heard once. */
function createBell() {
  let isRung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      isRung = true;
      wake?.();
    },
    heard: async (): Promise<void> => {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isRung = false;
      wake = undefined;
    },
  };
}
