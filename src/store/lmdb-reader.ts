// The hot path: entries and log of one moment, in one read transaction. All of it is synchronous, so that nothing can
// come between, and copies only what is handed out: LMDB's own buffer is overwritten by the next get.
import type { Digest, Tag } from '../core/key-ring.js';
import type { Cursor, LogEntry, Revocation, StoreRead } from '../core/token-store.js';
import { CURSOR_BYTES, formatCursor, LOG_ID_BYTES, parseCursor } from './cursor.js';
import { writeDigestBytes } from './digest-bytes.js';
import type { LmdbDatabases } from './lmdb-environment.js';
import { DIGEST_BYTES, decodeState, SETTINGS_KEY, STATE_KEY, type StoreState } from './lmdb-layout.js';
import { LIVE_CHUNK, LOG_PAGE } from './page-sizes.js';
import type { StoreSettings } from './store-meta.js';
import type { LiveRevocation } from './store-transaction.js';
import { decodeLive, decodeLogValue, decodeSettings, ENTRY_OFFSET, readExpiresAt } from './value-layout.js';

export interface LmdbReader {
  /** Begins a new moment. Undefined when the store was wiped under us. */
  begin(): StoreState | undefined;
  readSettings(): StoreSettings | undefined;
  readEntries(digests: readonly Digest[], storeTimeMs: number): (Uint8Array | undefined)[];
  findLive(tag: Tag, storeTimeMs: number): LiveRevocation | undefined;
  readLog(state: StoreState, cursor: Cursor | undefined): Pick<StoreRead, 'revocations' | 'cursor' | 'reset' | 'more'>;
  /** The live ones whose tags come after this one. */
  readLive(
    after: Tag | undefined,
    storeTimeMs: number,
  ): { readonly chunk: Revocation[]; readonly last: Tag | undefined };
}

const NONE: readonly LogEntry[] = [];

export function createLmdbReader({ root, entries, live, log, meta }: LmdbDatabases): LmdbReader {
  const key = Buffer.alloc(DIGEST_BYTES);

  const readEntry = (digest: Digest, storeTimeMs: number): Uint8Array | undefined => {
    writeDigestBytes(key, digest);
    const value = entries.getBinaryFast(key);
    if (value === undefined || readExpiresAt(value) <= storeTimeMs) return undefined;
    const entry = Buffer.allocUnsafe(value.length - ENTRY_OFFSET);
    value.copy(entry, 0, ENTRY_OFFSET, value.length);
    return entry;
  };

  return {
    begin: () => {
      // lmdb-js keeps a read transaction until its timer fires: without this, what another process committed is missed.
      root.resetReadTxn();
      const value = meta.getBinaryFast(STATE_KEY);
      return value && decodeState(value);
    },

    readSettings: () => {
      const value = meta.getBinary(SETTINGS_KEY);
      return value && decodeSettings(value);
    },

    readEntries: (digests, storeTimeMs) => digests.map((digest) => readEntry(digest, storeTimeMs)),

    findLive: (tag, storeTimeMs) => {
      const value = live.getBinaryFast(Buffer.from(tag));
      const found = value && decodeLive(tag, value);
      return found !== undefined && found.expiresAtMs > storeTimeMs ? found : undefined;
    },

    readLog: (state, cursor) => {
      const head = formatCursor(state.head);
      if (head === cursor) return { revocations: NONE, cursor, reset: false, more: false };
      const from = cursor === undefined ? undefined : parseCursor(cursor);
      if (from === undefined) return { revocations: NONE, cursor: head, reset: true, more: false };
      const [first, ...rest] = log.getRange({ start: from.subarray(0, LOG_ID_BYTES), limit: LOG_PAGE + 1 });
      const revocations = rest.map((row) => ({
        cursor: formatCursor(toCursorBytes(row)),
        ...decodeLogValue(row.value),
      }));
      const last = revocations.at(-1);
      if (first === undefined || last === undefined || !toCursorBytes(first).equals(from)) {
        return { revocations: NONE, cursor: head, reset: true, more: false };
      }
      return { revocations, cursor: last.cursor, reset: false, more: rest.length === LOG_PAGE };
    },

    readLive: (after, storeTimeMs) => {
      const rows = [
        ...live.getRange({ limit: LIVE_CHUNK, ...(after && { start: Buffer.from(after), exclusiveStart: true }) }),
      ];
      const all = rows.map((row) => decodeLive(row.key as Uint8Array as Tag, row.value));
      const chunk = all
        .filter(({ expiresAtMs }) => expiresAtMs > storeTimeMs)
        .map(({ tag, beforeMs, issuerTag }) => ({ tag, beforeMs, issuerTag }));
      return { chunk, last: all.at(-1)?.tag };
    },
  };
}

function toCursorBytes({ key, value }: { readonly key: Buffer; readonly value: Buffer }): Buffer {
  return Buffer.concat([key, value.subarray(0, CURSOR_BYTES - LOG_ID_BYTES)]);
}
