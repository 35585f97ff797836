// What can be said of a store without its keys.
import { StoreUnavailable } from '../core/errors.js';
import { whenNoTransactionIsUnderWay } from './lmdb-commit-queue.js';
import { openLmdbToRead } from './lmdb-environment.js';
import { toStoreUnavailable } from './lmdb-faults.js';
import { checkDataFile, lmdbStoreExists } from './lmdb-folder.js';
import { decodeState, SETTINGS_KEY, STATE_KEY } from './lmdb-layout.js';
import { type StoreSummary, toMeta } from './store-meta.js';
import { decodeSettings } from './value-layout.js';

/** Throws StoreUnavailable when there is no store, or none that this version can read. Changes nothing. */
export async function readLmdbStore(path: string): Promise<StoreSummary> {
  if (!(await lmdbStoreExists(path))) throw noStore();
  try {
    await checkDataFile(path);
    return await whenNoTransactionIsUnderWay(() => summarize(path));
  } catch (error) {
    throw await toStoreUnavailable(error, 'LMDB could not be read');
  }
}

function summarize(path: string): StoreSummary {
  const opened = openLmdbToRead(path);
  try {
    const settings = opened.meta?.getBinary(SETTINGS_KEY);
    const state = opened.meta?.getBinary(STATE_KEY);
    if (settings === undefined || state === undefined || opened.entries === undefined) throw noStore();
    const { lastStoreTimeMs } = decodeState(state);
    return {
      meta: toMeta(decodeSettings(settings), lastStoreTimeMs),
      entries: opened.entries.getKeysCount({}),
      storeTimeMs: Math.max(Date.now(), lastStoreTimeMs),
    };
  } finally {
    void opened.root.close();
  }
}

function noStore(): StoreUnavailable {
  return new StoreUnavailable('there is no store in the data folder (store.path)');
}
