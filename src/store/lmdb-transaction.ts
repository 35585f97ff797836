// One write transaction on LMDB, for the rules. Runs inside a transaction of lmdb-js: reads see what was written before
// them, and the whole of it is on disk or nothing.
import { randomBytes } from 'node:crypto';
import type { Tag } from '../core/key-ring.js';
import { CURSOR_BYTES, decodeLogId, encodeLogId, formatCursor } from './cursor.js';
import type { LmdbDatabases } from './lmdb-environment.js';
import { createExpiryIndex } from './lmdb-expiry.js';
import {
  decodeState,
  type Expiring,
  encodeState,
  SETTINGS_KEY,
  STATE_KEY,
  type StoreState,
  toDigest,
  toDigestKey,
} from './lmdb-layout.js';
import type { StoreClock } from './store-clock.js';
import { admitKeys, reserveWritingKey } from './store-keys.js';
import { createSettings, type StoreSettings } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { extendRevocations, FIRST_LOG_ENTRY, isUnknownTombstone } from './store-rules.js';
import type { LiveRevocation, StoredEntry, StoreTransaction } from './store-transaction.js';
import {
  decodeEntry,
  decodeLive,
  decodeSettings,
  encodeEntry,
  encodeLive,
  encodeLogValue,
  encodeSettings,
} from './value-layout.js';

export interface LmdbTransaction extends StoreTransaction {
  /** Removes at most `limit` of what has expired; returns how many there were. */
  sweep(limit: number): number;
  /** Makes at most `limit` live revocations and as many unknown tombstones that end before `endMs` end then; how many. */
  extend(endMs: number, limit: number): number;
  /** For the rest of this transaction too. */
  changeSettings(settings: StoreSettings): void;
}

const NEW_STATE: StoreState = {
  lastStoreTimeMs: 0,
  settingsId: 0,
  unknownTombstones: 0,
  head: Buffer.alloc(CURSOR_BYTES),
};

/** Every write takes along a few that have expired. */
const SWEPT_BY_WRITE = 32;
/** Log entries beyond the bound that one append removes: more than one, for when the bound was lowered. */
const TRIMMED_AT_ONCE = 4;

/** Makes a store that is not there and lets a new writing key in; writes nothing otherwise, so a full disk opens. */
export function makeLmdbStore(databases: LmdbDatabases, options: StoreOptions, storeTime: StoreClock): void {
  begin(databases, options, storeTime);
}

/**
 * Around the commands, what every write does: it makes a store that was wiped under us, checks the keys, moves the
 * store's time, sweeps. Throws StoreUnavailable when the keys do not fit, with nothing written.
 */
export function inLmdbTransaction(
  databases: LmdbDatabases,
  options: StoreOptions,
  storeTime: StoreClock,
  commands: (transaction: LmdbTransaction) => void,
): void {
  const { settings: admitted, state } = begin(databases, options, storeTime);
  state.lastStoreTimeMs = storeTime(state.lastStoreTimeMs);
  const settings = reserveWritingKey(admitted, options, state.lastStoreTimeMs);
  if (settings !== admitted) putSettings(databases, settings, state);
  const transaction = createLmdbTransaction(databases, settings, state, options.logEntries);
  commands(transaction);
  transaction.sweep(SWEPT_BY_WRITE);
  databases.meta.putSync(STATE_KEY, encodeState(state));
}

function begin(databases: LmdbDatabases, options: StoreOptions, storeTime: StoreClock) {
  const { meta } = databases;
  const stateBytes = meta.getBinary(STATE_KEY);
  const settingsBytes = meta.getBinary(SETTINGS_KEY);
  const isMade = stateBytes !== undefined && settingsBytes !== undefined;
  const state: StoreState = isMade ? decodeState(stateBytes) : { ...NEW_STATE, lastStoreTimeMs: storeTime(0) };
  const there = isMade ? decodeSettings(settingsBytes) : createSettings(options, state.lastStoreTimeMs);
  const settings = admitKeys(there, options, Math.max(options.clock(), state.lastStoreTimeMs));
  if (!isMade) createLmdbTransaction(databases, settings, state, options.logEntries).appendLog(FIRST_LOG_ENTRY);
  if (!isMade || settings !== there) {
    putSettings(databases, settings, state);
    meta.putSync(STATE_KEY, encodeState(state));
  }
  return { settings, state };
}

/** The state, which tells readers of them, is for the caller to put. */
function putSettings({ meta }: LmdbDatabases, settings: StoreSettings, state: StoreState): void {
  state.settingsId = randomBytes(4).readUInt32BE();
  meta.putSync(SETTINGS_KEY, encodeSettings(settings));
}

function createLmdbTransaction(
  databases: LmdbDatabases,
  initial: StoreSettings,
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

  // Not an accessor: there is one of these for every commit (docs/adr/0028).
  const transaction: LmdbTransaction & { settings: StoreSettings } = {
    storeTimeMs,
    settings: initial,

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

    extend: (endMs, limit) => {
      const tags = expiry.findEnding('l', endMs, limit).map((key) => key as Uint8Array as Tag);
      const digests = expiry.findEnding('u', endMs, limit).map(toDigest);
      return extendRevocations(transaction, { digests, tags }, endMs);
    },

    changeSettings: (next) => {
      transaction.settings = next;
      putSettings(databases, next, state);
    },
  };
  return transaction;
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
