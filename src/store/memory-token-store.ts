// The reference engine: the contract in plain maps, for tests and for reading. Nothing outlives the process.
import { StoreUnavailable } from '../core/errors.js';
import type { Cursor, TokenStore } from '../core/token-store.js';
import { changeBounds } from './change-bounds.js';
import { decodeLogId, formatCursor, parseCursor } from './cursor.js';
import {
  createMemoryData,
  createMemoryTransaction,
  createMemoryView,
  isExpired,
  type MemoryData,
  sweepMemory,
} from './memory-data.js';
import { LIVE_CHUNK, LOG_PAGE } from './page-sizes.js';
import { createStoreClock } from './store-clock.js';
import { admitKeys, reserveWritingKey } from './store-keys.js';
import { createSettings, type StoreSettings, toMeta } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import {
  extendRevocations,
  FIRST_LOG_ENTRY,
  registerEntry,
  rehearseRegistration,
  revokeTag,
  revokeToken,
} from './store-rules.js';
import type { StoreTransaction } from './store-transaction.js';

/** A store that was wiped has no log to grow: who waits looks again. */
const LOOK_AGAIN_MS = 1000;

/** Throws StoreUnavailable when `data` was made with other keys. */
export function createMemoryTokenStore(options: StoreOptions, data: MemoryData = createMemoryData()): TokenStore {
  const storeTime = createStoreClock(options.clock);
  let closed = false;

  /** Settings of the store, made anew when it was wiped under us. */
  const open = (): StoreSettings => {
    if (closed) throw new StoreUnavailable('the store is closed');
    if (data.settings === undefined) {
      data.lastStoreTimeMs = storeTime(0);
      data.settings = createSettings(options, data.lastStoreTimeMs);
      createMemoryTransaction(data, data.settings, options.logEntries).appendLog(FIRST_LOG_ENTRY);
    }
    data.settings = admitKeys(data.settings, options, Math.max(options.clock(), data.lastStoreTimeMs));
    return data.settings;
  };

  const write = <Result>(command: (transaction: StoreTransaction) => Result): Result => {
    const admitted = open();
    data.lastStoreTimeMs = storeTime(data.lastStoreTimeMs);
    const settings = reserveWritingKey(admitted, options, data.lastStoreTimeMs);
    data.settings = settings;
    sweepMemory(data);
    return command(createMemoryTransaction(data, settings, options.logEntries));
  };

  open();
  return {
    read: async (digests, cursor) => {
      const { leaseMs } = open();
      const storeTimeMs = storeTime(data.lastStoreTimeMs);
      const entries = digests.map((digest) => {
        const entry = data.entries.get(digest);
        return entry === undefined || isExpired(entry, storeTimeMs) ? undefined : entry.bytes;
      });
      return { entries, ...readLog(data, cursor), storeTimeMs, leaseMs };
    },
    register: async (entries) => write((transaction) => entries.map((entry) => registerEntry(transaction, entry))),
    wouldRegister: async (entries) => {
      const view = createMemoryView(data, open(), storeTime(data.lastStoreTimeMs));
      return entries.map((entry) => rehearseRegistration(view, entry));
    },
    revokeToken: async (command) => write((transaction) => revokeToken(transaction, command)),
    revokeTag: async (command) => write((transaction) => revokeTag(transaction, command)),
    loadRevocations: async function* () {
      open();
      const storeTimeMs = storeTime(data.lastStoreTimeMs);
      const live = [...data.live.values()]
        .filter((revocation) => !isExpired(revocation, storeTimeMs))
        .map(({ tag, beforeMs, issuerTag }) => ({ tag, beforeMs, issuerTag }));
      for (let start = 0; start < live.length; start += LIVE_CHUNK) {
        yield live.slice(start, start + LIVE_CHUNK);
      }
    },
    awaitLog: async (cursor, signal) => {
      open();
      const last = data.log.at(-1);
      if (last !== undefined && formatCursor(last.cursor) === cursor) await data.notice.next(LOOK_AGAIN_MS, signal);
    },
    ready: async () => void open(),
    meta: async () => toMeta(open(), data.lastStoreTimeMs),
    changeBounds: (change) =>
      changeBounds(
        {
          update: async (step) =>
            write(({ settings, storeTimeMs }) => {
              data.settings = step(settings, storeTimeMs);
            }),
          extend: async (endMs) =>
            write((transaction) => {
              const tags = [...data.live.values()].map(({ tag }) => tag);
              return extendRevocations(transaction, { digests: [...data.unknown.keys()], tags }, endMs) > 0;
            }),
        },
        change,
      ),
    close: async () => {
      closed = true;
    },
  };
}

function readLog({ log }: MemoryData, cursor: Cursor | undefined) {
  const position = findPosition(log, cursor);
  const page = position === undefined ? [] : log.slice(position + 1, position + 1 + LOG_PAGE);
  const last = page.at(-1) ?? log.at(position ?? -1);
  if (last === undefined) throw new Error('a log is never empty');
  return {
    revocations: page.map(({ cursor: bytes, revocation }) => ({ ...revocation, cursor: formatCursor(bytes) })),
    cursor: formatCursor(last.cursor),
    reset: position === undefined,
    more: page.length === LOG_PAGE,
  };
}

/** Where in the log the very entry is that the cursor stands on. */
function findPosition(log: MemoryData['log'], cursor: Cursor | undefined): number | undefined {
  const [first] = log;
  const bytes = cursor === undefined ? undefined : parseCursor(cursor);
  if (first === undefined || bytes === undefined) return undefined;
  const position = decodeLogId(bytes) - decodeLogId(first.cursor);
  return log[position]?.cursor.equals(bytes) ? position : undefined;
}
