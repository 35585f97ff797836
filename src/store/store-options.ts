import type { KeyRing } from '../core/key-ring.js';

/** What every engine is opened with. */
export interface StoreOptions {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Fingerprints of the keys at hand; they must fit the ones that the store was made with. */
  readonly keyChecks: KeyRing['checks'];
  /** Written into the meta of a new store; an existing store keeps its own. */
  readonly defaults: StoreDefaults;
  /** How many entries of the revocation log are kept; at least 1. */
  readonly logEntries: number;
}

export interface StoreDefaults {
  readonly maxTokenTtlMs: number;
  readonly leaseMs: number;
  readonly partitions: number;
}
