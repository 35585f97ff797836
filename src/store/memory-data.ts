// What a memory store holds, and the write transaction over it. Plain maps, so that it can be read as the reference.
import { randomBytes } from 'node:crypto';
import type { Digest, Tag } from '../core/key-ring.js';
import type { LoggedRevocation } from '../core/token-store.js';
import { encodeLogId, formatCursor } from './cursor.js';
import { createLogNotice, type LogNotice } from './log-notice.js';
import type { StoreSettings } from './store-meta.js';
import { isUnknownTombstone } from './store-rules.js';
import type { LiveRevocation, StoredEntry, StoreTransaction } from './store-transaction.js';

/** Stays when a handle is closed: several handles on one of these are several daemons on one store. */
export interface MemoryData {
  settings: StoreSettings | undefined;
  lastStoreTimeMs: number;
  readonly entries: Map<Digest, StoredEntry>;
  /** Those of the entries that are tombstones of tokens that were never registered. */
  readonly unknown: Map<Digest, StoredEntry>;
  readonly live: Map<string, LiveRevocation>;
  /** Oldest first; ids are without gaps. */
  readonly log: { readonly cursor: Buffer; readonly revocation: LoggedRevocation }[];
  lastLogId: number;
  /** For all handles on it. */
  readonly notice: LogNotice;
}

export function createMemoryData(): MemoryData {
  return {
    settings: undefined,
    lastStoreTimeMs: 0,
    entries: new Map(),
    unknown: new Map(),
    live: new Map(),
    log: [],
    lastLogId: 0,
    notice: createLogNotice(),
  };
}

export function isExpired({ expiresAtMs }: { readonly expiresAtMs: number }, storeTimeMs: number): boolean {
  return expiresAtMs <= storeTimeMs;
}

export function createMemoryTransaction(
  data: MemoryData,
  settings: StoreSettings,
  logEntries: number,
): StoreTransaction {
  const storeTimeMs = data.lastStoreTimeMs;
  return {
    ...createMemoryView(data, settings, storeTimeMs),
    putEntry: (digest, entry) => {
      data.entries.set(digest, entry);
      if (isUnknownTombstone(entry.bytes)) data.unknown.set(digest, entry);
      else data.unknown.delete(digest);
    },
    putLive: (live) => void data.live.set(toKey(live.tag), live),
    appendLog: (revocation) => {
      data.lastLogId += 1;
      const cursor = Buffer.concat([encodeLogId(data.lastLogId), randomBytes(8)]);
      data.log.push({ cursor, revocation });
      data.log.splice(0, data.log.length - logEntries);
      data.notice.wake();
      return formatCursor(cursor);
    },
    hasRoomForUnknownTombstone: (max) =>
      data.unknown.size < max ||
      [...data.unknown.values()].filter((entry) => !isExpired(entry, storeTimeMs)).length < max,
  };
}

/** What is there at a store time. */
export function createMemoryView(data: MemoryData, settings: StoreSettings, storeTimeMs: number) {
  return {
    storeTimeMs,
    settings,
    findEntry: (digest: Digest) => findUnexpired(data.entries, digest, storeTimeMs),
    findLive: (tag: Tag) => findUnexpired(data.live, toKey(tag), storeTimeMs),
  };
}

export function sweepMemory(data: MemoryData): void {
  for (const map of [data.entries, data.unknown, data.live] as readonly Map<
    unknown,
    { readonly expiresAtMs: number }
  >[]) {
    for (const [key, value] of map) if (isExpired(value, data.lastStoreTimeMs)) map.delete(key);
  }
}

function findUnexpired<Key, Value extends { readonly expiresAtMs: number }>(
  map: ReadonlyMap<Key, Value>,
  key: Key,
  storeTimeMs: number,
): Value | undefined {
  const value = map.get(key);
  return value === undefined || isExpired(value, storeTimeMs) ? undefined : value;
}

function toKey(tag: Tag): string {
  return Buffer.from(tag).toString('hex');
}
