// Waiting before the next attempt: longer each time, and never in step with others.

export interface Backoff {
  /** Of the first wait, at most. Doubles with each. */
  readonly firstMs: number;
  /** Of any wait, at most. */
  readonly maxMs: number;
}

/**
 * Between nothing and the whole of it, so that many that failed at once do not come back at once.
 * https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter
 */
export function pickDelayMs({ firstMs, maxMs }: Backoff, attempt: number): number {
  return Math.random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}

/** Resolves after so long, or as soon as the signal aborts. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
