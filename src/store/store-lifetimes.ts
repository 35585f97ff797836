// How long what is written now must be remembered, given the bounds in force and those of the past. Times are the store's.
import type { StoreSettings } from './store-meta.js';

type Bounds = Pick<StoreSettings, 'longest' | 'former'>;

/** No token that is known now, or was issued by now, ends after it. */
function tokensEndMs({ longest, former }: Bounds, storeTimeMs: number): number {
  return Math.max(storeTimeMs + longest.tokenTtlMs, former.tokensEndMs);
}

/** The end of a revocation that is said now: nothing that it concerns is valid then. */
export function revocationEndMs(bounds: Bounds, storeTimeMs: number): number {
  return tokensEndMs(bounds, storeTimeMs) + bounds.longest.leaseMs;
}

/** What was said before this concerns nothing that can be valid now; 0 while tokens of a larger bound may live. */
export function revocationsOverMs(bounds: Bounds, storeTimeMs: number): number {
  const { longest, former } = bounds;
  if (storeTimeMs < former.tokensEndMs + longest.leaseMs) return 0;
  return Math.max(0, storeTimeMs - longest.tokenTtlMs - longest.leaseMs);
}

/** Every lease that was granted on a read before now is over after so many ms. */
export function leasesEndInMs({ longest, former }: Bounds, storeTimeMs: number): number {
  return Math.max(longest.leaseMs, former.leasesEndMs - storeTimeMs);
}
