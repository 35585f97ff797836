// Promise 1 across processes on one folder: a read invoked after an acknowledged revocation knows of it.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { makeEntry, makeRevoke } from './fixtures.js';
import { HOUR_MS, makeOptions } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';

const LANES = 4;

interface Answer {
  readonly name: string;
  readonly kind: string | undefined;
}

/**
 * Revokes in this process, and asks a busy reader in another one after every acknowledgement. How many of its answers
 * did not know of the revocation.
 */
async function countStaleAnswers(t: TestContext, revokes: number, execArgv: readonly string[]): Promise<number> {
  const path = makeTempFolder(t);
  const store = await openLmdbTokenStore({ path, ...makeOptions({ clockMs: 0 }), clock: Date.now });
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const names = Array.from({ length: revokes }, (_, index) => `t${index}`);
  await store.register(names.map((name) => makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + HOUR_MS })));
  const reader = fork(childScript('busy-reader'), [path], { execArgv: [...execArgv] });
  try {
    await once(reader, 'message');
    const ask = makeAsk(reader);
    let stale = 0;
    const queue = [...names];
    const lane = async (): Promise<void> => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
        assert.equal(await ask(name), 'record');
        await store.revokeToken(makeRevoke(name));
        if ((await ask(name)) !== 'tombstone') stale += 1;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return stale;
  } finally {
    reader.kill('SIGKILL');
    await once(reader, 'exit');
    await store.close();
  }
}

function makeAsk(reader: ChildProcess): (name: string) => Promise<string | undefined> {
  const waiting = new Map<string, (kind: string | undefined) => void>();
  reader.on('message', ({ name, kind }: Answer) => waiting.get(name)?.(kind));
  return (name) =>
    new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      reader.send(name, (error) => error && reject(error));
    });
}

test('a busy reader in another process knows of each of 2,000 acknowledged revocations', async (t) => {
  assert.equal(await countStaleAnswers(t, 2000, []), 0);
});

test('it would not without the reset of the read transaction', async (t) => {
  const mutant = `--import=${childScript('without-reset')}`;
  const stale = await countStaleAnswers(t, 400, [mutant]);
  t.diagnostic(`${stale} stale answers of 400`);
  assert.ok(stale > 0);
});
