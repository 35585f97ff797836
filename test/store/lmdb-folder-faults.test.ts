// Data folders that cannot be used: each ends in a sentence for the operator.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { makeEntry, readEntry } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';
import { runUnprivileged } from './unprivileged.js';

const open = (path: string) => openLmdbTokenStore({ path, ...makeOptions({ clockMs: START_MS }) });

const unavailable = (detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreUnavailable);
  assert.match(error.detail, detail);
  return true;
};

test('a missing folder is created, for its owner alone, also when its name has a dot', async (t) => {
  const path = join(makeTempFolder(t), 'deep', 'er', 'data.d');
  const store = await open(path);
  await store.close();
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
  for (const file of readdirSync(path)) assert.equal(statSync(join(path, file)).mode & 0o777, 0o600);
});

test('a folder that is a file, or lies below one, is told so', async (t) => {
  const file = join(makeTempFolder(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(open(file), unavailable(/is a file: name a folder/));
  await assert.rejects(open(join(file, 'data')), unavailable(/lies below a file/));
});

test('a folder above that takes none is told so, and not waited for', (t) => {
  if (process.platform !== 'linux') return t.skip('there is no /proc');
  for (const path of ['/proc/none', '/proc/none/store']) {
    const args = [childScript('opener'), path];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 0, path);
    assert.match(stdout, /^\{"detail":"the data folder \(store\.path\) cannot be reached/);
  }
});

const READ_ONLY: readonly { readonly name: string; readonly prepare: (path: string) => Promise<string> }[] = [
  {
    name: 'a folder that cannot be created',
    prepare: async (path) => {
      chmodSync(path, 0o555);
      return join(path, 'data');
    },
  },
  {
    name: 'an empty folder without the right to write',
    prepare: async (path) => {
      chmodSync(path, 0o555);
      return path;
    },
  },
  {
    name: 'a store without the right to write',
    prepare: async (path) => {
      await (await open(path)).close();
      for (const file of readdirSync(path)) chmodSync(join(path, file), 0o444);
      chmodSync(path, 0o555);
      return path;
    },
  },
  {
    name: 'a store without the right to read',
    prepare: async (path) => {
      await (await open(path)).close();
      for (const file of readdirSync(path)) chmodSync(join(path, file), 0o000);
      chmodSync(path, 0o555);
      return path;
    },
  },
  {
    name: 'a folder that may not be entered',
    prepare: async (path) => {
      await (await open(path)).close();
      chmodSync(path, 0o000);
      return path;
    },
  },
];
for (const { name, prepare } of READ_ONLY) {
  test(`${name} is told as such, not as a crash`, async (t) => {
    const folder = makeTempFolder(t, (made) => chmodSync(join(made, 'store'), 0o755));
    const path = join(folder, 'store');
    chmodSync(folder, 0o755);
    mkdirSync(path);
    const run = runUnprivileged(t, 'opener', await prepare(path));
    if (run === undefined) return;
    assert.deepEqual([run.status, run.signal], [0, null]);
    assert.match(run.stdout, /^\{"detail":"the data folder or its files may not be .* by this user/);
  });
}

test('a data file that was replaced or removed under the running process makes it unready', async (t) => {
  const path = makeTempFolder(t);
  const store = await open(path);
  await store.register([makeEntry('a')]);
  await store.ready();
  renameSync(join(path, 'data.mdb'), join(path, 'away.mdb'));
  await assert.rejects(store.ready(), unavailable(/replaced or removed/));
  writeFileSync(join(path, 'data.mdb'), '');
  await assert.rejects(store.ready(), unavailable(/replaced or removed/));
  renameSync(join(path, 'away.mdb'), join(path, 'data.mdb'));
  await store.ready();
  assert.ok(await readEntry(store, 'a'));
  await store.close();
});
