// kill -9 of a process that raises max_token_ttl, in the middle: nothing longer is let in before all that is revoked
// lasts for it, and what is revoked meanwhile lasts too.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenStore } from '../../src/core/token-store.js';
import { whenNoTransactionIsUnderWay } from '../../src/store/lmdb-commit-queue.js';
import { openLmdbDatabases } from '../../src/store/lmdb-environment.js';
import { encodeExpiryKey } from '../../src/store/lmdb-layout.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { makeEntry, makeRevoke } from './fixtures.js';
import { HOUR_MS, MAX_TOKEN_TTL_MS, makeOptions } from './harness.js';
import { childScript, makeTempFolder } from './lmdb-temp-folder.js';

const REVOKED = 3000;
const KILLS = 3;
const LONGER_MS = 3 * MAX_TOKEN_TTL_MS;

/** What the store says, from beside it. */
interface Onlooker {
  readonly store: TokenStore;
  /** How many unknown tombstones last for the longer tokens. */
  readonly countExtended: () => number;
}

/** Kills it as soon as more tombstones were extended than before. Whether it was in the middle of its work then. */
async function killRaiser(path: string, { store, countExtended }: Onlooker): Promise<boolean> {
  const before = countExtended();
  const raiser = spawn(process.execPath, [childScript('bounds-raiser'), path, String(LONGER_MS)], { stdio: 'inherit' });
  const exited = once(raiser, 'exit');
  while (raiser.exitCode === null && countExtended() <= before) await sleep(1);
  raiser.kill('SIGKILL');
  await exited;
  return (await store.meta()).isChanging;
}

test('a raise of max_token_ttl is cut off by kill -9, and made again', async (t) => {
  const path = makeTempFolder(t);
  const store = await openLmdbTokenStore({ path, ...makeOptions({ clockMs: 0 }), clock: Date.now });
  try {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const longer = makeEntry('longer', { claimedIssueMs: nowMs, expMs: nowMs + MAX_TOKEN_TTL_MS + HOUR_MS });
    await Promise.all(Array.from({ length: REVOKED }, (_, index) => store.revokeToken(makeRevoke(`t${index}`))));
    const naked = await whenNoTransactionIsUnderWay(() => openLmdbDatabases(path));
    const start = encodeExpiryKey('u', nowMs + LONGER_MS, Buffer.alloc(0));
    const countExtended = (): number => {
      naked.root.resetReadTxn();
      return naked.expiry.getKeysCount({ start });
    };
    const counts: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      assert.ok(await killRaiser(path, { store, countExtended }), 'it was in the middle');
      assert.equal((await store.meta()).maxTokenTtlMs, MAX_TOKEN_TTL_MS);
      assert.deepEqual(await store.register([longer]), ['ttl_too_long']);
      await store.revokeToken(makeRevoke(`meanwhile-${kills}`));
      counts.push(countExtended());
    }
    t.diagnostic(`cut off with ${counts.join(', ')} of ${REVOKED} extended`);
    assert.ok(counts.some((count) => count > KILLS && count < REVOKED));
    await store.changeBounds({ maxTokenTtlMs: LONGER_MS });
    assert.deepEqual(await store.register([longer]), ['registered']);
    assert.equal(countExtended(), REVOKED + KILLS);
    await naked.root.close();
  } finally {
    await store.close();
  }
});
