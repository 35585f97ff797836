// The write lock among processes and among handles of one process.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { makeEntry, makeRevoke, readEntry } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';

const open = (path: string) => openLmdbTokenStore({ path, ...makeOptions({ clockMs: START_MS }) });

test('while another process holds the write lock reads go on, and when it dies the waiting write is done', async (t) => {
  const path = makeTempFolder(t);
  const store = await open(path);
  await store.register([makeEntry('a')]);
  const holder = spawn(process.execPath, [childScript('lock-holder'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const died = once(holder, 'exit');
  await once(holder.stdout, 'data');
  let isDone = false;
  const revoked = store.revokeToken(makeRevoke('a')).finally(() => {
    isDone = true;
  });
  for (let count = 0; count < 50; count++) {
    assert.ok(await readEntry(store, 'a'));
    await new Promise(setImmediate);
  }
  assert.equal(isDone, false);
  holder.kill('SIGKILL');
  await died;
  assert.equal((await revoked).outcome, 'revoked');
  await store.close();
});

test('handles of one process open, write and close beside each other', async (t) => {
  const path = makeTempFolder(t);
  const handles = await Promise.all(Array.from({ length: 4 }, () => open(path)));
  const ids = await Promise.all(handles.map(async (store) => (await store.meta()).storeId));
  assert.equal(new Set(ids).size, 1, 'one store was made');
  const work = handles.map(async (store, lane) => {
    for (let count = 0; count < 20; count++) await store.revokeToken(makeRevoke(`${lane}-${count}`));
    await store.close();
  });
  const late = (async () => {
    for (let count = 0; count < 10; count++) {
      const store = await open(path);
      await store.register([makeEntry(`late-${count}`)]);
      await store.close();
    }
  })();
  await Promise.all([...work, late]);
  const store = await open(path);
  for (let lane = 0; lane < 4; lane++) assert.ok(await readEntry(store, `${lane}-19`));
  assert.ok(await readEntry(store, 'late-9'));
  await store.close();
});

test('several processes make one store together', async (t) => {
  const path = makeTempFolder(t);
  const openers = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [childScript('opener'), path], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const said = await Promise.all(openers.map(async (opener) => String(await once(opener.stdout, 'data'))));
  assert.deepEqual(said, Array(4).fill('{"opened":true}\n'));
  const store = await open(path);
  const { cursor } = await store.read([], undefined);
  assert.equal(Buffer.from(cursor, 'base64url').readUIntBE(2, 6), 1, 'one first log entry');
  await store.close();
});
