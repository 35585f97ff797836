// One write transaction on LMDB, for the rules. Runs inside a transaction of lmdb-js: reads see what was written before
// them, and the whole of it is on disk or nothing.
import { randomBytes } from 'node:crypto';
import type { Tag } from '../core/key-ring.js';
import { decodeLogId, encodeLogId, formatCursor } from './cursor.js';
import type { LmdbDatabases } from './lmdb-environment.js';
import { createExpiryIndex } from './lmdb-expiry.js';
import {
  decodeEntry,
  decodeLive,
  decodeSettings,
  decodeState,
  type Expiring,
  encodeEntry,
  encodeLive,
  encodeLogValue,
  encodeSettings,
  encodeState,
  SETTINGS_KEY,
  STATE_KEY,
  type StoreState,
  toDigestKey,
} from './lmdb-layout.js';
import { admitKeys, createSettings, type StoreSettings } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { FIRST_LOG_ENTRY, isUnknownTombstone } from './store-rules.js';
import type { LiveRevocation, StoredEntry, StoreTransaction } from './store-transaction.js';

export interface LmdbTransaction extends StoreTransaction {
  /** Removes at most `limit` of what has expired; returns how many there were. */
  sweep(limit: number): number;
}

/** Every write takes along a few that have expired. */
const SWEPT_BY_WRITE = 32;
/** Log entries beyond the bound that one append removes: more than one, for when the bound was lowered. */
const TRIMMED_AT_ONCE = 4;

/**
 * Around the commands, what every write does: it makes a store that is not there (or was wiped under us), checks the
 * keys, moves the store's time, sweeps. Throws StoreUnavailable when the keys do not fit, with nothing written.
 */
export function inLmdbTransaction(
  databases: LmdbDatabases,
  options: StoreOptions,
  storeTime: (lastStoreTimeMs: number) => number,
  commands: (transaction: LmdbTransaction) => void,
): void {
  const { meta } = databases;
  const stateBytes = meta.getBinary(STATE_KEY);
  const settingsBytes = meta.getBinary(SETTINGS_KEY);
  const isMade = stateBytes !== undefined && settingsBytes !== undefined;
  const state: StoreState = isMade
    ? decodeState(stateBytes)
    : { lastStoreTimeMs: 0, settingsId: 0, unknownTombstones: 0, head: Buffer.alloc(16) };
  const there = isMade ? decodeSettings(settingsBytes) : createSettings(options);
  const settings = admitKeys(there, options);
  state.lastStoreTimeMs = storeTime(state.lastStoreTimeMs);
  const transaction = createLmdbTransaction(databases, settings, state, options.logEntries);
  if (!isMade) transaction.appendLog(FIRST_LOG_ENTRY);
  if (!isMade || settings !== there) {
    state.settingsId = randomBytes(4).readUInt32BE();
    meta.putSync(SETTINGS_KEY, encodeSettings(settings));
  }
  commands(transaction);
  transaction.sweep(SWEPT_BY_WRITE);
  meta.putSync(STATE_KEY, encodeState(state));
}

function createLmdbTransaction(
  databases: LmdbDatabases,
  { maxTokenTtlMs, leaseMs }: StoreSettings,
  state: StoreState,
  logEntries: number,
): LmdbTransaction {
  const { entries, live, log } = databases;
  const storeTimeMs = state.lastStoreTimeMs;
  const expiry = createExpiryIndex(databases, state);

  const findStored = (key: Buffer): StoredEntry | undefined => {
    const value = entries.getBinaryFast(key);
    return value && decodeEntry(value);
  };

  const findStoredLive = (tag: Tag): LiveRevocation | undefined => {
    const value = live.getBinaryFast(Buffer.from(tag));
    return value && decodeLive(tag, value);
  };

  return {
    storeTimeMs,
    maxTokenTtlMs,
    leaseMs,

    findEntry: (digest) => hideExpired(findStored(toDigestKey(digest)), storeTimeMs),

    putEntry: (digest, entry) => {
      const key = toDigestKey(digest);
      const replaced = findStored(key);
      if (replaced !== undefined) expiry.remove(toExpiring(replaced), replaced.expiresAtMs, key);
      expiry.add(toExpiring(entry), entry.expiresAtMs, key);
      entries.putSync(key, encodeEntry(entry));
    },

    findLive: (tag) => hideExpired(findStoredLive(tag), storeTimeMs),

    putLive: (revocation) => {
      const key = Buffer.from(revocation.tag);
      const replaced = findStoredLive(revocation.tag);
      if (replaced !== undefined) expiry.remove('l', replaced.expiresAtMs, key);
      expiry.add('l', revocation.expiresAtMs, key);
      live.putSync(key, encodeLive(revocation));
    },

    appendLog: (revocation) => {
      const id = decodeLogId(state.head) + 1;
      state.head = Buffer.concat([encodeLogId(id), randomBytes(8)]);
      log.putSync(encodeLogId(id), encodeLogValue(state.head.subarray(8), revocation));
      const oldestKept = encodeLogId(Math.max(0, id - logEntries + 1));
      for (const key of [...log.getKeys({ end: oldestKept, limit: TRIMMED_AT_ONCE })]) log.removeSync(key);
      return formatCursor(state.head);
    },

    hasRoomForUnknownTombstone: (max) =>
      state.unknownTombstones < max || state.unknownTombstones - expiry.countExpiredUnknown() < max,

    sweep: (limit) => expiry.sweep(limit),
  };
}

function toExpiring({ bytes }: StoredEntry): Expiring {
  return isUnknownTombstone(bytes) ? 'u' : 'e';
}

function hideExpired<Value extends { readonly expiresAtMs: number }>(
  value: Value | undefined,
  storeTimeMs: number,
): Value | undefined {
  return value !== undefined && value.expiresAtMs > storeTimeMs ? value : undefined;
}
