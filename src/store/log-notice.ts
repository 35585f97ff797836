/** Wakes whoever waits for the log of a store, within this process. */
export interface LogNotice {
  wake(): void;
  /** Resolves at the next wake(), after `atMostMs`, or once the signal is aborted. */
  next(atMostMs: number, signal: AbortSignal): Promise<void>;
}

export function createLogNotice(): LogNotice {
  const waiting = new Set<() => void>();
  return {
    wake: () => {
      for (const resolve of waiting) resolve();
    },
    next: (atMostMs, signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, atMostMs).unref();
        signal.addEventListener('abort', done, { once: true });
        waiting.add(done);
        if (signal.aborted) done();
      }),
  };
}
