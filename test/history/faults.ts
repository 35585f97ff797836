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
  /** Resolves when those under way are over. Rejects when one could not be injected. */
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
  ended.catch(() => undefined);
  return {
    counts,
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
