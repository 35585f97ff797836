import { setTimeout as sleep } from 'node:timers/promises';

/** Two clocks drift apart by 0.1 % at most while NTP corrects both: the lease is counted on the client's. */
const CLOCK_DRIFT = 1.001;

/**
 * Resolves when every lease that was granted before the commit is over. Begin it when the commit was acknowledged.
 * Rejects with the signal's reason.
 */
export async function waitForCaches(leasesEndInMs: number, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + leasesEndInMs * CLOCK_DRIFT;
  // Timers may fire a little early.
  for (let leftMs = endMs - performance.now(); leftMs > 0; leftMs = endMs - performance.now()) {
    await sleep(Math.ceil(leftMs), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  signal.throwIfAborted();
}
