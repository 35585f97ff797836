// Faults that come again and again, each at its own pace.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Fault {
  readonly name: string;
  /** From the end of one to the beginning of the next. */
  readonly pauseMs: number;
  /** Resolves when it is over. */
  inject(): Promise<unknown>;
}

export interface Faults {
  /** How often each has happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** Rejects when one could not be injected. */
  readonly failure: Promise<never>;
  /** Resolves when those under way are over; rejects as failure does. */
  stop(): Promise<void>;
}

export function startFaults(faults: readonly Fault[]): Faults {
  const counts = new Map(faults.map(({ name }) => [name, 0]));
  const stopping = new AbortController();
  const runs = faults.map(async ({ name, pauseMs, inject }) => {
    for (;;) {
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await inject();
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  });
  const ended = Promise.all(runs);
  const failure = new Promise<never>((_, reject) => void ended.catch(reject));
  failure.catch(() => undefined);
  return {
    counts,
    failure,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

/** Gives out daemons in turns, each to one fault at a time. */
export function createTurns(daemons: number): <Result>(work: (daemon: number) => Promise<Result>) => Promise<Result> {
  const busy = new Set<number>();
  let next = 0;
  return async (work) => {
    do next = (next + 1) % daemons;
    while (busy.has(next));
    const daemon = next;
    busy.add(daemon);
    try {
      return await work(daemon);
    } finally {
      busy.delete(daemon);
    }
  };
}
