// The expiry index of the LMDB engine: what ends, soonest first, and how many unknown tombstones there are.
import type { LmdbDatabases } from './lmdb-environment.js';
import {
  decodeExpiryKey,
  EXPIRES_AT,
  EXPIRY_VALUE,
  type Expiring,
  encodeExpiryKey,
  type StoreState,
} from './lmdb-layout.js';

export interface ExpiryIndex {
  add(what: Expiring, expiresAtMs: number, key: Buffer): void;
  remove(what: Expiring, expiresAtMs: number, key: Buffer): void;
  /** Unknown tombstones that are not swept yet although their time is over. */
  countExpiredUnknown(): number;
  /** Keys of at most `limit` of what has not expired and ends before, soonest first. */
  findEnding(what: Expiring, beforeMs: number, limit: number): readonly Buffer[];
  /** Removes at most `limit` of what has expired, with its rows; returns how many rows there were. */
  sweep(limit: number): number;
}

const NO_KEY = Buffer.alloc(0);
const EXPIRING: readonly Expiring[] = ['e', 'u', 'l'];

export function hasExpired({ expiry }: Pick<LmdbDatabases, 'expiry'>, storeTimeMs: number): boolean {
  return EXPIRING.some((what) => [...expiry.getKeys({ limit: 1, ...expiredRange(what, storeTimeMs) })].length > 0);
}

export function createExpiryIndex({ entries, live, expiry }: LmdbDatabases, state: StoreState): ExpiryIndex {
  const expired = (what: Expiring) => expiredRange(what, state.lastStoreTimeMs);
  const remove = (what: Expiring, expiresAtMs: number, key: Buffer): void => {
    expiry.removeSync(encodeExpiryKey(what, expiresAtMs, key));
    if (what === 'u') state.unknownTombstones -= 1;
  };
  const sweepOne = (what: Expiring, row: Buffer): void => {
    const { expiresAtMs, key } = decodeExpiryKey(row);
    const database = what === 'l' ? live : entries;
    remove(what, expiresAtMs, key);
    // A tombstone removed too early would let a revoked token be registered again: believe the value, not its index.
    if (database.getBinaryFast(key)?.readUIntBE(EXPIRES_AT[what], 6) === expiresAtMs) database.removeSync(key);
  };
  return {
    add: (what, expiresAtMs, key) => {
      expiry.putSync(encodeExpiryKey(what, expiresAtMs, key), EXPIRY_VALUE);
      if (what === 'u') state.unknownTombstones += 1;
    },
    remove,
    countExpiredUnknown: () => expiry.getKeysCount(expired('u')),
    findEnding: (what, beforeMs, limit) => {
      const [start, end] = [state.lastStoreTimeMs + 1, beforeMs].map((ms) => encodeExpiryKey(what, ms, NO_KEY));
      const rows = expiry.getKeys({ limit, ...(start && { start }), ...(end && { end }) });
      // A row's key is LMDB's own buffer, or a part of it: a copy outlives what is written next.
      return [...rows].map((row) => Buffer.from(decodeExpiryKey(row).key));
    },
    sweep: (limit) => {
      let count = 0;
      for (const what of EXPIRING) {
        const rows = [...expiry.getKeys({ limit: limit - count, ...expired(what) })];
        for (const row of rows) sweepOne(what, row);
        count += rows.length;
      }
      return count;
    },
  };
}

function expiredRange(what: Expiring, storeTimeMs: number) {
  return { start: encodeExpiryKey(what, 0, NO_KEY), end: encodeExpiryKey(what, Math.floor(storeTimeMs) + 1, NO_KEY) };
}
