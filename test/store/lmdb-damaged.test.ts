// Data that is not what this version wrote: each ends in a sentence for the operator, none in a crash or an answer.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { LmdbDatabases } from '../../src/store/lmdb-environment.js';
import { readLmdbStore } from '../../src/store/lmdb-inspect.js';
import { SETTINGS_KEY, toDigestKey } from '../../src/store/lmdb-layout.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { digestOf, makeEntry, makeRevoke, readEntry } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';
import { changeDatabases } from './lmdb-harness.js';
import { makeTempFolder } from './lmdb-temp-folder.js';

const open = (path: string) => openLmdbTokenStore({ path, ...makeOptions({ clockMs: START_MS }) });

const unavailable = (detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreUnavailable);
  assert.match(error.detail, detail);
  return true;
};

const DAMAGES: readonly { readonly name: string; readonly damage: (file: string) => void }[] = [
  { name: 'random bytes', damage: (file) => writeFileSync(file, randomBytes(20_000)) },
  { name: 'a short text', damage: (file) => writeFileSync(file, 'hello\n') },
  { name: 'zeros', damage: (file) => writeFileSync(file, Buffer.alloc(1 << 16)) },
  { name: 'its first half page alone', damage: (file) => truncateSync(file, 2048) },
  { name: 'its first page alone', damage: (file) => truncateSync(file, 4096) },
  { name: 'its meta pages alone', damage: (file) => truncateSync(file, 8192) },
  { name: 'a newer data version', damage: (file) => writeFileSync(file, withByte(readFileSync(file), 28, 9)) },
];

function withByte(bytes: Buffer, position: number, value: number): Buffer {
  bytes[position] = value;
  return bytes;
}

for (const { name, damage } of DAMAGES) {
  test(`${name} in place of data.mdb is told as such, not as a crash, and is left as it is`, async (t) => {
    const path = makeTempFolder(t);
    const store = await open(path);
    await store.register(Array.from({ length: 200 }, (_, index) => makeEntry(`t${index}`)));
    await store.close();
    damage(join(path, 'data.mdb'));
    const before = readFileSync(join(path, 'data.mdb'));
    await assert.rejects(open(path), unavailable(/not an LMDB file, or only a part of one/));
    await assert.rejects(readLmdbStore(path), unavailable(/not an LMDB file, or only a part of one/));
    assert.deepEqual(readFileSync(join(path, 'data.mdb')), before);
  });
}

test('an empty data.mdb is no store yet', async (t) => {
  const path = makeTempFolder(t);
  writeFileSync(join(path, 'data.mdb'), '');
  const store = await open(path);
  await store.ready();
  assert.ok(statSync(join(path, 'data.mdb')).size > 0);
  await store.close();
});

for (const layout of [2, 4]) {
  test(`a store of another layout is not touched: ${layout}`, async (t) => {
    const path = makeTempFolder(t);
    await (await open(path)).close();
    await changeDatabases(path, ({ meta }) => {
      const settings = JSON.parse(meta.getBinary(SETTINGS_KEY)?.toString() ?? '');
      meta.putSync(SETTINGS_KEY, Buffer.from(JSON.stringify({ ...settings, layout })));
    });
    await assert.rejects(open(path), unavailable(new RegExp(`layout ${layout}, this version .* knows 3`)));
    await assert.rejects(readLmdbStore(path), unavailable(new RegExp(`layout ${layout}`)));
  });
}

const put = (value: Buffer) => (databases: LmdbDatabases) => {
  databases.entries.putSync(toDigestKey(digestOf('a')), value);
};

test('an entry that no version wrote is a doubt for everybody who meets it, and for nobody else', async (t) => {
  const path = makeTempFolder(t);
  const store = await open(path);
  await store.register([makeEntry('b')]);
  await changeDatabases(path, put(Buffer.alloc(40, 0x7f)));
  const bytes = await readEntry(store, 'a');
  assert.throws(() => bytes && decodeEntry(bytes), unavailable(/unknown form/));
  await assert.rejects(store.register([makeEntry('a')]), unavailable(/unknown form/));
  await assert.rejects(store.revokeToken(makeRevoke('a')), unavailable(/unknown form/));
  await changeDatabases(path, put(Buffer.alloc(3)));
  await assert.rejects(readEntry(store, 'a'), unavailable(/unknown form/));
  await assert.rejects(store.revokeToken(makeRevoke('a')), StoreUnavailable);
  assert.ok(await readEntry(store, 'b'));
  assert.equal((await store.revokeToken(makeRevoke('b'))).outcome, 'revoked');
  await store.close();
});
