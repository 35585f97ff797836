// What has expired leaves the file, in small steps, and nothing else does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLmdbStore } from '../../src/store/lmdb-inspect.js';
import { EXPIRY_VALUE, encodeExpiryKey, toDigestKey } from '../../src/store/lmdb-layout.js';
import { startSweeper } from '../../src/store/lmdb-sweeper.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { digestOf, ISSUER_TAG, loadAll, makeEntry, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, makeOptions, START_MS } from './harness.js';
import { changeDatabases } from './lmdb-harness.js';
import { assertLmdbInvariants } from './lmdb-invariants.js';
import { makeTempFolder } from './lmdb-temp-folder.js';

test('writes alone take what has expired out of the file, a few at a time', async (t) => {
  const path = makeTempFolder(t);
  const clock = { clockMs: START_MS };
  const store = await openLmdbTokenStore({ path, ...makeOptions(clock) });
  const names = Array.from({ length: 300 }, (_, index) => `t${index}`);
  await store.register(names.slice(0, 200).map((name) => makeEntry(name)));
  await Promise.all(names.slice(100).map((name) => store.revokeToken(makeRevoke(name))));
  assert.equal((await readLmdbStore(path)).entries, 300);
  clock.clockMs += HOUR_MS + MAX_TOKEN_TTL_MS + LEASE_MS;
  const left: number[] = [];
  for (let count = 0; count < 10; count++) {
    await store.register([]);
    left.push((await readLmdbStore(path)).entries);
    await changeDatabases(path, assertLmdbInvariants);
  }
  assert.deepEqual(left, [268, 236, 204, 172, 140, 108, 76, 44, 12, 0]);
  await store.close();
});

test('a row of the index that is wrong removes itself, not the tombstone', async (t) => {
  const path = makeTempFolder(t);
  const store = await openLmdbTokenStore({ path, ...makeOptions({ clockMs: START_MS }) });
  await store.register([makeEntry('a')]);
  await store.revokeToken(makeRevoke('a'));
  await store.revokeTag({ tag: tagOf('jti', 'j'), issuerTag: ISSUER_TAG, beforeMs: undefined });
  await changeDatabases(path, ({ expiry }) => {
    expiry.putSync(encodeExpiryKey('e', START_MS - 1, toDigestKey(digestOf('a'))), EXPIRY_VALUE);
    expiry.putSync(encodeExpiryKey('l', START_MS - 1, Buffer.from(tagOf('jti', 'j'))), EXPIRY_VALUE);
  });
  await store.register([]);
  assert.ok(await readEntry(store, 'a'));
  assert.equal((await loadAll(store)).flat().length, 1);
  await changeDatabases(path, assertLmdbInvariants);
  await store.close();
});

test('the sweeper goes on while there is more, rests when there is not, and survives a fault', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const calls: string[] = [];
  let expired = 450;
  const stop = startSweeper({
    hasExpired: async () => {
      if (calls.length === 0) {
        calls.push('fault');
        throw new Error('the disk is full');
      }
      return expired > 0;
    },
    sweep: async (limit) => {
      const count = Math.min(limit, expired);
      expired -= count;
      calls.push(`swept ${count}`);
      return count;
    },
  });
  const tick = async (): Promise<void> => {
    t.mock.timers.tick(5000);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  await tick();
  assert.deepEqual(calls, ['fault']);
  await tick();
  assert.deepEqual(calls, ['fault', 'swept 200', 'swept 200', 'swept 50']);
  expired = 7;
  await tick();
  assert.deepEqual(calls.at(-1), 'swept 7');
  stop();
  expired = 9;
  await tick();
  assert.equal(expired, 9);
});
