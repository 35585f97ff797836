/** Wakes whoever waits for the log of a store, within this process. */
export interface LogNotice {
  wake(): void;
  /** Resolves at the next wake(), after `atMostMs`, or once the signal is aborted. */
  next(atMostMs: number, signal: AbortSignal): Promise<void>;
}

export function createLogNotice(): LogNotice {
  // No Set, whose tables would keep who waited (docs/adr/0028).
  const waiting: (() => void)[] = [];
  return {
    wake: () => {
      for (const done of waiting.slice()) done();
    },
    next: (atMostMs, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          const index = waiting.indexOf(done);
          if (index >= 0) waiting.splice(index, 1);
          resolve();
        };
        const timer = setTimeout(done, atMostMs).unref();
        signal.addEventListener('abort', done, { once: true });
        waiting.push(done);
        if (signal.aborted) done();
      }),
  };
}
