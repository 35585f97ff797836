// The one layer that tries again. Only what can pass by itself (UNAVAILABLE), only within the call's time, and only as
// long as most calls succeed: retries must not be what keeps a server down.
import { type Backoff, pickDelayMs, wait } from './backoff.js';
import { IntrospectionError } from './introspection-error.js';
import { aborted, type CallBounds } from './unary-call.js';

export interface Retrier {
  /** Calls, and calls again after a failure that allows it. */
  run<T>(call: (bounds: CallBounds) => Promise<T>, bounds: CallBounds): Promise<T>;
  readonly retries: number;
}

const BACKOFF: Backoff = { firstMs: 50, maxMs: 1_000 };
/** gRFC A6, retry throttling: a failure costs 1, a success brings 0.1, and below one half nothing is retried. */
const BUDGET = 100;
const PER_SUCCESS = 0.1;

/** `maxAttempts` of 1 never retries. */
export function createRetrier(maxAttempts: number): Retrier {
  let budget = BUDGET;
  let retries = 0;

  function shouldRetry(error: unknown, attempt: number): error is IntrospectionError {
    if (!(error instanceof IntrospectionError) || error.code !== 'UNAVAILABLE') return false;
    budget = Math.max(0, budget - 1);
    return attempt < maxAttempts && budget > BUDGET / 2;
  }

  return {
    run: async (call, bounds) => {
      for (let attempt = 1; ; attempt++) {
        try {
          const response = await call(bounds);
          budget = Math.min(BUDGET, budget + PER_SUCCESS);
          return response;
        } catch (error) {
          if (!shouldRetry(error, attempt)) throw error;
          // The server knows best when to come back; all come back a little apart.
          const delayMs = (error.retryDelayMs ?? 0) + pickDelayMs(BACKOFF, attempt - 1);
          if (performance.now() + delayMs >= bounds.endMs) throw error;
          await wait(delayMs, bounds.signal);
          if (bounds.signal?.aborted) throw aborted(bounds.signal);
          retries += 1;
        }
      }
    },
    get retries() {
      return retries;
    },
  };
}
