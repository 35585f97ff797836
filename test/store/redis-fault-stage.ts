// What the tests of faults of Redis share: a store on a Redis of its own, and what must hold when it fails.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { KeyRing } from '../../src/core/key-ring.js';
import type { Cursor, TokenStore } from '../../src/core/token-store.js';
import type { RedisServer } from '../../src/store/redis-server.js';
import { openRedisTokenStore } from '../../src/store/redis-token-store.js';
import { startRedis, type TestRedis } from '../support/redis-server.js';
import { digestOf, makeEntry } from './fixtures.js';
import { HOUR_MS, LEASE_MS, RING } from './harness.js';
import { toServer } from './redis-harness.js';

const TIMEOUT_MS = 200;
/** limits.store_timeout, and slack for a busy machine. */
const ANSWER_MS = 250 * 4;
/** A write may wait five times as long as a read. */
export const WRITE_ANSWER_MS = 2 * 5 * TIMEOUT_MS;
const RECOVERY_MS = 2000;

export const open = (server: RedisServer, ring: KeyRing = RING): Promise<TokenStore> =>
  openRedisTokenStore({
    server,
    keyChecks: ring.checks,
    defaults: { maxTokenTtlMs: 24 * HOUR_MS, leaseMs: LEASE_MS, partitions: 1 },
    logEntries: 1000,
    timeoutMs: TIMEOUT_MS,
  });

export const live = (name: string) => {
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  return makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + HOUR_MS });
};

export interface Stage {
  readonly redis: TestRedis;
  readonly store: TokenStore;
  /** A cursor at the end of the log, and the record of `a` behind it. */
  readonly cursor: Cursor;
}

export async function setUp(t: TestContext, settings?: readonly string[]): Promise<Stage> {
  const redis = await startRedis(settings);
  t.after(() => redis.close());
  const store = await open(toServer(redis.url));
  t.after(() => store.close());
  assert.deepEqual(await store.register([live('a')]), ['registered']);
  return { redis, store, cursor: (await store.read([], undefined)).cursor };
}

export async function assertUnavailable(
  work: () => Promise<unknown>,
  detail = /./,
  boundMs = ANSWER_MS,
): Promise<void> {
  const begun = performance.now();
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof StoreUnavailable, String(error));
    assert.match(error.detail, detail);
    assert.equal(error.cause, undefined, 'an error of ioredis carries keys');
    assert.doesNotMatch(JSON.stringify(error), /introspectd:\{/);
    return true;
  });
  assert.ok(performance.now() - begun < boundMs, `${performance.now() - begun} ms`);
}

export const readA = ({ store, cursor }: Pick<Stage, 'store' | 'cursor'>) => store.read([digestOf('a')], cursor);

/** Until the first answer there is only StoreUnavailable; the answer is right. */
export async function assertRecovers(
  stage: Stage,
  isRight: (entry: Uint8Array | undefined) => boolean = (entry) => entry !== undefined,
) {
  const endMs = performance.now() + RECOVERY_MS;
  for (;;) {
    try {
      const { entries } = await readA(stage);
      assert.ok(isRight(entries[0]), 'the first answer is right');
      return;
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.ok(performance.now() < endMs, `not back within ${RECOVERY_MS} ms: ${error.detail}`);
      await sleep(10);
    }
  }
}

export async function untilUnavailable(work: () => Promise<unknown>, boundMs = RECOVERY_MS): Promise<StoreUnavailable> {
  const endMs = performance.now() + boundMs;
  while (performance.now() < endMs) {
    const error = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== undefined) {
      assert.ok(error instanceof StoreUnavailable, String(error));
      return error;
    }
    await sleep(10);
  }
  throw new Error('the fault was never noticed');
}
