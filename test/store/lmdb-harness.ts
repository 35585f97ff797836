// The LMDB engine for the conformance suite and the model: a folder each, changed from outside where that is asked.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenStore } from '../../src/core/token-store.js';
import { whenNoTransactionIsUnderWay } from '../../src/store/lmdb-commit-queue.js';
import { type LmdbDatabases, openLmdbDatabases } from '../../src/store/lmdb-environment.js';
import { DATABASE_NAMES } from '../../src/store/lmdb-layout.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { type MakeHarness, makeOptions, START_MS, type StoreHarness } from './harness.js';
import { assertLmdbInvariants } from './lmdb-invariants.js';

/** Runs `change` on the naked databases, as somebody else on the same folder. */
export async function changeDatabases(path: string, change: (databases: LmdbDatabases) => void): Promise<void> {
  const databases = await whenNoTransactionIsUnderWay(() => {
    const opened = openLmdbDatabases(path);
    opened.root.transactionSync(() => change(opened));
    return opened;
  });
  await databases.root.close();
}

export const makeLmdbHarness: MakeHarness = async (changes) => {
  const path = await mkdtemp(join(tmpdir(), 'introspectd-store-'));
  const clock = { clockMs: START_MS };
  const seconds: TokenStore[] = [];
  const open = (more = changes) => openLmdbTokenStore({ path, ...makeOptions(clock, { ...changes, ...more }) });
  let store = await open();
  const harness: StoreHarness = {
    get store() {
      return store;
    },
    get clockMs() {
      return clock.clockMs;
    },
    set clockMs(clockMs) {
      clock.clockMs = clockMs;
    },
    reopen: async (more) => {
      await store.close();
      store = await open(more);
    },
    openSecond: async (more) => {
      const second = await open(more);
      seconds.push(second);
      return second;
    },
    wipe: () =>
      changeDatabases(path, (databases) => {
        for (const name of DATABASE_NAMES) {
          for (const key of [...databases[name].getKeys({})]) databases[name].removeSync(key);
        }
      }),
    trim: () =>
      changeDatabases(path, ({ log }) => {
        for (const key of [...log.getKeys({})].slice(0, -1)) log.removeSync(key);
      }),
    assertSound: () => changeDatabases(path, assertLmdbInvariants),
    close: async () => {
      for (const handle of [store, ...seconds]) await handle.close();
      await rm(path, { recursive: true });
    },
  };
  return harness;
};
