// The embedded engine: LMDB, for one process or several on one folder. Reads are synchronous gets from shared memory;
// writes are group commits, acknowledged when they are on disk.
import { setImmediate as turn } from 'node:timers/promises';
import { StoreUnavailable } from '../core/errors.js';
import type { Tag } from '../core/key-ring.js';
import type { TokenStore } from '../core/token-store.js';
import { changeBounds } from './change-bounds.js';
import { formatCursor } from './cursor.js';
import { createCommitQueue, whenNoTransactionIsUnderWay } from './lmdb-commit-queue.js';
import { type LmdbDatabases, openLmdbDatabases } from './lmdb-environment.js';
import { hasExpired } from './lmdb-expiry.js';
import { toStoreUnavailable } from './lmdb-faults.js';
import { findDataFileId, prepareFolder } from './lmdb-folder.js';
import type { StoreState } from './lmdb-layout.js';
import { createLmdbReader } from './lmdb-reader.js';
import { startSweeper } from './lmdb-sweeper.js';
import { inLmdbTransaction, type LmdbTransaction, makeLmdbStore } from './lmdb-transaction.js';
import { createLogNotice } from './log-notice.js';
import { createStoreClock, type StoreClock } from './store-clock.js';
import { admitKeys } from './store-keys.js';
import { type StoreSettings, toMeta } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { type RegistrationView, registerEntry, rehearseRegistration, revokeTag, revokeToken } from './store-rules.js';

/** How often who waits for the log looks whether another process wrote to it; a look takes about 3 us. */
const LOOK_EVERY_MS = 5;
const EXTENDED_AT_ONCE = 200;

export interface LmdbStoreOptions extends StoreOptions {
  /** A folder, made where it is missing; never on a network file system. */
  readonly path: string;
}

/** Throws StoreUnavailable, whose `detail` says what to do, when the folder or the keys are not right. */
export async function openLmdbTokenStore(options: LmdbStoreOptions): Promise<TokenStore> {
  const storeTime = createStoreClock(options.clock);
  const databases = await openDatabases(options, storeTime);
  const dataFileId = await findDataFileId(options.path);
  const reader = createLmdbReader(databases);
  const queue = createCommitQueue<LmdbTransaction>(databases.root, (commands) => {
    inLmdbTransaction(databases, options, storeTime, commands);
  });
  let known: { readonly id: number; readonly settings: StoreSettings } | undefined;
  const notice = createLogNotice();
  let closed = false;

  const write = async <Result>(weight: number, command: (transaction: LmdbTransaction) => Result): Promise<Result> => {
    if (closed) throw new StoreUnavailable('the store is closed');
    try {
      const result = await queue.run(weight, command);
      notice.wake();
      return result;
    } catch (error) {
      throw await toStoreUnavailable(error, 'LMDB could not be written');
    }
  };

  /** Undefined when the store was wiped under us. */
  const findSettings = (state: StoreState): StoreSettings | undefined => {
    if (known?.id === state.settingsId) return known.settings;
    const settings = reader.readSettings();
    if (settings === undefined) return undefined;
    admitKeys(settings, options, Math.max(options.clock(), state.lastStoreTimeMs));
    known = { id: state.settingsId, settings };
    return settings;
  };

  /** `action` runs at one moment of the store: nothing may be awaited in it, or before it once the moment began. */
  const readAt = async <Result>(action: (state: StoreState, settings: StoreSettings) => Result): Promise<Result> => {
    try {
      for (;;) {
        if (closed) throw new StoreUnavailable('the store is closed');
        const state = reader.begin();
        const settings = state && findSettings(state);
        if (state !== undefined && settings !== undefined) return action(state, settings);
        await write(0, () => undefined);
      }
    } catch (error) {
      throw await toStoreUnavailable(error, 'LMDB could not be read');
    }
  };

  const stopSweeper = startSweeper({
    hasExpired: () => readAt((state) => hasExpired(databases, Math.max(options.clock(), state.lastStoreTimeMs))),
    sweep: (limit) => write(limit, (transaction) => transaction.sweep(limit)),
  });

  return {
    read: (digests, cursor) =>
      readAt((state, { leaseMs }) => {
        const storeTimeMs = storeTime(state.lastStoreTimeMs);
        const entries = reader.readEntries(digests, storeTimeMs);
        return { entries, ...reader.readLog(state, cursor), storeTimeMs, leaseMs };
      }),

    register: (entries) =>
      write(entries.length, (transaction) => entries.map((entry) => registerEntry(transaction, entry))),
    wouldRegister: (entries) =>
      readAt((state, settings) => {
        const storeTimeMs = storeTime(state.lastStoreTimeMs);
        const view: RegistrationView = {
          storeTimeMs,
          settings,
          findEntry: (digest) => {
            const [bytes] = reader.readEntries([digest], storeTimeMs);
            return bytes && { bytes };
          },
          findLive: (tag) => reader.findLive(tag, storeTimeMs),
        };
        return entries.map((entry) => rehearseRegistration(view, entry));
      }),
    revokeToken: (command) => write(1, (transaction) => revokeToken(transaction, command)),
    revokeTag: (command) => write(1, (transaction) => revokeTag(transaction, command)),

    loadRevocations: async function* () {
      let after: Tag | undefined;
      do {
        const page = await readAt((state) => reader.readLive(after, storeTime(state.lastStoreTimeMs)));
        if (page.chunk.length > 0) yield page.chunk;
        after = page.last;
        // Nothing here waits for I/O: without this, nobody else would have a turn until all of them are read.
        await turn();
      } while (after !== undefined);
    },

    awaitLog: async (cursor, signal) => {
      while (!signal.aborted) {
        if (await readAt((state) => formatCursor(state.head) !== cursor)) return;
        await notice.next(LOOK_EVERY_MS, signal);
      }
    },

    ready: async () => {
      if ((await findDataFileId(options.path)) !== dataFileId) {
        throw new StoreUnavailable('the data file was replaced or removed under the running process: restart it');
      }
      await readAt(() => undefined);
    },

    meta: () => readAt((state, settings) => toMeta(settings, state.lastStoreTimeMs)),

    changeBounds: (change) =>
      changeBounds(
        {
          update: (step) =>
            write(1, (transaction) => transaction.changeSettings(step(transaction.settings, transaction.storeTimeMs))),
          extend: (endMs) => write(EXTENDED_AT_ONCE, (transaction) => transaction.extend(endMs, EXTENDED_AT_ONCE) > 0),
        },
        change,
      ),

    close: async () => {
      closed = true;
      stopSweeper();
      await queue.drain();
      await databases.root.close();
    },
  };
}

async function openDatabases(options: LmdbStoreOptions, storeTime: StoreClock): Promise<LmdbDatabases> {
  await prepareFolder(options.path);
  let databases: LmdbDatabases | undefined;
  try {
    return await whenNoTransactionIsUnderWay(() => {
      const opened = openLmdbDatabases(options.path);
      databases = opened;
      opened.root.transactionSync(() => makeLmdbStore(opened, options, storeTime));
      return opened;
    });
  } catch (error) {
    await databases?.root.close();
    throw await toStoreUnavailable(error, 'LMDB could not be opened');
  }
}
