// What the conformance suite and the model need of an engine, and the keys and settings they run with.
import { type KeyRing, parseKeyRing } from '../../src/core/key-ring.js';
import type { TokenStore } from '../../src/core/token-store.js';
import type { StoreOptions } from '../../src/store/store-options.js';

export interface StoreHarness {
  /** The handle under test; another one after reopen. */
  readonly store: TokenStore;
  /** What the engine's clock says, ms; may step back. */
  clockMs: number;
  /** Closes the handle and opens the store again, as a restarted daemon does. */
  reopen(changes?: HarnessChanges): Promise<void>;
  /** Another handle on the same store, as another daemon has; closed with the harness. */
  openSecond(changes?: HarnessChanges): Promise<TokenStore>;
  /** Empties the store under the running handle. */
  wipe(): Promise<void>;
  /** Removes all of the log but its last entry, under the running handle. */
  trim(): Promise<void>;
  /** Asserts what must hold inside the engine after any history, expired things still to be swept or not. */
  assertSound(): Promise<void>;
  close(): Promise<void>;
}

export type HarnessChanges = Partial<Pick<StoreOptions, 'keyChecks' | 'logEntries' | 'defaults'>>;
export type MakeHarness = (changes?: HarnessChanges) => Promise<StoreHarness>;

export const START_MS = Date.UTC(2026, 0, 1);
export const HOUR_MS = 3_600_000;
export const MAX_TOKEN_TTL_MS = 24 * HOUR_MS;
export const LEASE_MS = 2000;

const key = (letter: string) => Buffer.alloc(32, letter).toString('base64');
const makeRing = (tag: string, ...digests: readonly string[]): KeyRing =>
  parseKeyRing([...digests.map((letter) => `digest:${key(letter)}`), `tag:${key(tag)}`].join('\n'));

export const RING = makeRing('t', 'a');
/** The new key is there to be read, nobody writes with it yet. */
export const BOTH_RING = makeRing('t', 'a', 'b');
/** A new writing key, the old one still read. */
export const ROTATED_RING = makeRing('t', 'b', 'a');
/** The old digest key is gone. */
export const LACKING_RING = makeRing('t', 'b');
/** The steps of a rotation, one daemon at a time. */
export const RINGS = [RING, BOTH_RING, ROTATED_RING, LACKING_RING] as const;
export const OTHER_TAG_RING = makeRing('u', 'a');

export function makeOptions(harness: { readonly clockMs: number }, changes: HarnessChanges = {}): StoreOptions {
  return {
    clock: () => harness.clockMs,
    keyChecks: RING.checks,
    defaults: { maxTokenTtlMs: MAX_TOKEN_TTL_MS, leaseMs: LEASE_MS, partitions: 1 },
    logEntries: 100_000,
    ...changes,
  };
}
