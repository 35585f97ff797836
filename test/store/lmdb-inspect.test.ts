// What is said of a store without its keys, and what its file knows of a token.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import { lmdbStoreExists } from '../../src/store/lmdb-folder.js';
import { readLmdbStore } from '../../src/store/lmdb-inspect.js';
import { toDigestKey } from '../../src/store/lmdb-layout.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { digestOf, makeEntry, makeRevoke, sha256 } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';
import { changeDatabases } from './lmdb-harness.js';
import { makeTempFolder } from './lmdb-temp-folder.js';

const open = (path: string) => openLmdbTokenStore({ path, ...makeOptions({ clockMs: START_MS }) });

test('a store is summarized without its keys, whether it is open or not, and without a change', async (t) => {
  const path = makeTempFolder(t);
  const store = await open(path);
  await store.register([makeEntry('a'), makeEntry('b')]);
  await store.revokeToken(makeRevoke('unknown'));
  const meta = await store.meta();
  const { storeTimeMs, ...summary } = await readLmdbStore(path);
  assert.deepEqual(summary, { meta, entries: 3 });
  assert.ok(storeTimeMs > START_MS, 'by the clock of now');
  await store.close();
  const before = readFileSync(join(path, 'data.mdb'));
  for (const file of readdirSync(path)) chmodSync(join(path, file), 0o444);
  assert.deepEqual((await readLmdbStore(path)).meta, meta);
  assert.deepEqual(readFileSync(join(path, 'data.mdb')), before);
});

test('where there is no store, there is none to summarize, and none is made', async (t) => {
  const path = makeTempFolder(t);
  for (const folder of [path, join(path, 'missing')]) {
    await assert.rejects(readLmdbStore(folder), StoreUnavailable);
    assert.equal(await lmdbStoreExists(folder), false);
  }
  assert.deepEqual(readdirSync(path), []);
  writeFileSync(join(path, 'file'), '');
  await assert.rejects(lmdbStoreExists(join(path, 'file')), StoreUnavailable);
});

test('a store exists from its first byte on', async (t) => {
  const path = makeTempFolder(t);
  writeFileSync(join(path, 'data.mdb'), '');
  assert.equal(await lmdbStoreExists(path), false);
  await (await open(path)).close();
  assert.equal(await lmdbStoreExists(path), true);
});

test('the file knows a token by its digest alone', async (t) => {
  const path = makeTempFolder(t);
  const store = await open(path);
  await store.register([makeEntry('known')]);
  await store.revokeToken(makeRevoke('known'));
  await store.revokeToken(makeRevoke('unknown'));
  const keys: Buffer[] = [];
  await changeDatabases(path, ({ entries }) => {
    keys.push(...entries.getKeys({}));
  });
  await store.close();
  const expected = ['known', 'unknown'].map((name) => toDigestKey(digestOf(name)));
  assert.deepEqual(keys.sort(Buffer.compare), expected.sort(Buffer.compare));
  const file = readFileSync(join(path, 'data.mdb'));
  assert.ok(expected.every((key) => file.includes(key)));
  for (const name of ['known', 'unknown']) {
    const secret = sha256(name);
    assert.ok(!file.includes(secret) && !file.includes(Buffer.from(secret, 'hex')));
  }
});
