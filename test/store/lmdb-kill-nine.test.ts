// Promise 6 under kill -9: what was acknowledged stays, for who was there before and for who comes new.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import type { Cursor, Revocation, TokenStore } from '../../src/core/token-store.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { ISSUER_TAG, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { makeOptions } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';

const CYCLES = 30;
const REVOKES = 20;

/** Kills a writing process in the middle of its work; the names of what it was acknowledged before. */
async function killWriter(path: string): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [childScript('revoking-writer'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > REVOKES) writer.kill('SIGKILL');
  });
  const [, signal] = await once(writer, 'close');
  assert.equal(signal, 'SIGKILL');
  // The last piece, without a newline, was never finished.
  return said.split('\n').slice(0, -1);
}

async function readLog(store: TokenStore, from: Cursor): Promise<readonly Revocation[]> {
  const { revocations, cursor, reset, more } = await store.read([], from);
  assert.equal(reset, false);
  return more ? [...revocations, ...(await readLog(store, cursor))] : revocations;
}

test(`kill -9 of a writing process, ${CYCLES} times: no acknowledged revocation is lost`, async (t) => {
  const path = makeTempFolder(t);
  const open = () => openLmdbTokenStore({ path, ...makeOptions({ clockMs: 0 }), clock: Date.now });
  const onlooker = await open();
  try {
    const { cursor } = await onlooker.read([], undefined);
    const acknowledged: string[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      acknowledged.push(...(await killWriter(path)));
      // The lock that the dead one may have held is free again, for who was there before and for who comes new.
      await onlooker.revokeTag({ tag: ISSUER_TAG, issuerTag: ISSUER_TAG, beforeMs: cycle });
    }
    assert.ok(acknowledged.length >= CYCLES * REVOKES);
    const fresh = await open();
    try {
      const logged = new Set((await readLog(fresh, cursor)).map(({ tag }) => Buffer.from(tag).toString('hex')));
      for (const name of acknowledged) {
        const entry = await readEntry(fresh, name);
        assert.equal(entry && decodeEntry(entry).kind, 'tombstone');
        assert.ok(logged.has(Buffer.from(tagOf('token', name)).toString('hex')));
      }
      assert.equal((await fresh.revokeToken(makeRevoke('after'))).outcome, 'revoked');
    } finally {
      await fresh.close();
    }
  } finally {
    await onlooker.close();
  }
});
