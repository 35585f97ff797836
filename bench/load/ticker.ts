// Even instants for an event loop that sleeps between them. Its own timers know milliseconds; a thread that does nothing
// but wait knows tens of microseconds.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Plan {
  readonly perSecond: number;
}

export interface Ticker {
  /** Of performance.now(), and yet to come: ticks are counted from it. */
  readonly startMs: number;
  /** Called at each, or as soon after as it can be. */
  onTick(): void;
  stop(): void;
}

/** For whoever asked for ticks to get ready. */
const HEAD_START_MS = 20;

export async function startTicker(perSecond: number): Promise<Ticker> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { perSecond } satisfies Plan });
  const [startTime] = (await once(thread, 'message')) as [number];
  const ticker: Ticker = {
    startMs: startTime - performance.timeOrigin,
    onTick: () => undefined,
    stop: () => void thread.terminate(),
  };
  thread.on('message', () => ticker.onTick());
  return ticker;
}

function tickForEver({ perSecond }: Plan): never {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const startMs = performance.now() + HEAD_START_MS;
  // Each thread has a clock of its own.
  parentPort?.postMessage(performance.timeOrigin + startMs);
  for (let ticks = 0; ; ticks++) {
    const waitMs = startMs + (ticks * 1000) / perSecond - performance.now();
    if (waitMs > 0) Atomics.wait(cell, 0, 0, waitMs);
    parentPort?.postMessage(undefined);
  }
}

if (!isMainThread) tickForEver(workerData as Plan);
