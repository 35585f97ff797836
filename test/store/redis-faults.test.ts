// Every way in which a Redis can fail us: the answer is StoreUnavailable, in time; never inactive, never active; and the
// store is back soon after Redis is.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Cursor, TokenStore } from '../../src/core/token-store.js';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import type { RedisServer } from '../../src/store/redis-server.js';
import { openRedisTokenStore } from '../../src/store/redis-token-store.js';
import { startCuttingProxy } from '../support/cutting-proxy.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { digestOf, ISSUER_TAG, makeEntry, makeRevoke, tagOf } from './fixtures.js';
import { HOUR_MS, LEASE_MS, RING } from './harness.js';
import { toServer } from './redis-harness.js';

const TIMEOUT_MS = 200;
/** limits.store_timeout, and slack for a busy machine. */
const ANSWER_MS = 250 * 4;
/** A write may wait five times as long as a read. */
const WRITE_ANSWER_MS = 2 * 5 * TIMEOUT_MS;
const RECOVERY_MS = 2000;
const KEYS = createRedisKeys('introspectd:');

const open = (server: RedisServer): Promise<TokenStore> =>
  openRedisTokenStore({
    server,
    keyChecks: RING.checks,
    defaults: { maxTokenTtlMs: 24 * HOUR_MS, leaseMs: LEASE_MS, partitions: 1 },
    logEntries: 1000,
    timeoutMs: TIMEOUT_MS,
  });

const live = (name: string) => {
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  return makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + HOUR_MS });
};

interface Stage {
  readonly redis: TestRedis;
  readonly store: TokenStore;
  /** A cursor at the end of the log, and the record of `a` behind it. */
  readonly cursor: Cursor;
}

async function setUp(t: TestContext, settings?: readonly string[]): Promise<Stage> {
  const redis = await startRedis(settings);
  t.after(() => redis.close());
  const store = await open(toServer(redis.url));
  t.after(() => store.close());
  assert.deepEqual(await store.register([live('a')]), ['registered']);
  return { redis, store, cursor: (await store.read([], undefined)).cursor };
}

async function assertUnavailable(work: () => Promise<unknown>, detail = /./, boundMs = ANSWER_MS): Promise<void> {
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

const readA = ({ store, cursor }: Pick<Stage, 'store' | 'cursor'>) => store.read([digestOf('a')], cursor);

/** Until the first answer there is only StoreUnavailable; the answer is right. */
async function assertRecovers(
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

async function untilUnavailable(work: () => Promise<unknown>, boundMs = RECOVERY_MS): Promise<StoreUnavailable> {
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

describe('Redis faults', { skip: REDIS_MISSING }, () => {
  test('absent: it does not open, and says what to do', async () => {
    await assert.rejects(open(toServer('unix:/nowhere/redis.sock')), /unavailable/);
  });

  test('dead (SIGKILL): unavailable at once, and back with what was acknowledged', async (t) => {
    const stage = await setUp(t, ['--appendonly', 'yes', '--appendfsync', 'always']);
    await stage.redis.kill();
    await untilUnavailable(() => readA(stage));
    await assertUnavailable(() => readA(stage));
    await assertUnavailable(() => stage.store.register([live('b')]));
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('a')));
    await stage.redis.start();
    await assertRecovers(stage);
  });

  test('hung (SIGSTOP): reads and writes end in time, and no write happens after it was given up', async (t) => {
    const stage = await setUp(t);
    stage.redis.signal('SIGSTOP');
    await assertUnavailable(() => readA(stage), /no answer from Redis within 200 ms/);
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('a')), /./, WRITE_ANSWER_MS);
    await assertUnavailable(() => stage.store.register([live('b')]), /./, WRITE_ANSWER_MS);
    stage.redis.signal('SIGCONT');
    await assertRecovers(stage, (entry) => entry?.[0] === 1);
    assert.deepEqual((await stage.store.read([digestOf('b')], stage.cursor)).entries, [undefined]);
  });

  test('full: registration is refused, revocation is not, except of an unknown token', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.config('SET', 'maxmemory', '1');
    await assertUnavailable(() => stage.store.register([live('b')]), /full/);
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('unknown')), /full/);
    const command = { tag: tagOf('subject', 's'), issuerTag: ISSUER_TAG, beforeMs: undefined };
    await stage.store.revokeTag(command);
    assert.equal((await stage.store.revokeToken(makeRevoke('a'))).outcome, 'revoked');
    const { entries, revocations } = await readA(stage);
    assert.deepEqual([entries[0]?.[0], revocations.length], [2, 2]);
    await stage.redis.admin.config('SET', 'maxmemory', '0');
    assert.deepEqual(await stage.store.register([live('b')]), ['registered']);
  });

  const DISTRUSTED: readonly (readonly [name: string, settings: readonly string[], detail: RegExp])[] = [
    ['a policy that evicts', ['--appendonly', 'yes', '--maxmemory-policy', 'allkeys-lru'], /maxmemory-policy/],
    ['no AOF', ['--appendonly', 'no'], /appendonly/],
    ['a replica', ['--appendonly', 'yes', '--replicaof', '127.0.0.1 1'], /replica/],
    ['a password that is not given', ['--appendonly', 'yes', '--requirepass', 'x'], /password/],
  ];
  for (const [name, settings, detail] of DISTRUSTED) {
    test(`${name}: it does not open, and says why`, async (t) => {
      const redis = await startRedis(settings);
      t.after(() => redis.close());
      await assert.rejects(open(toServer(redis.url)), (error: unknown) => {
        assert.ok(error instanceof StoreUnavailable);
        assert.match(error.detail, detail);
        return true;
      });
    });
  }

  test('a wrong setting behind a new connection: nothing is answered until it is right', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await stage.redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await untilUnavailable(() => readA(stage));
    await sleep(100);
    await assertUnavailable(() => readA(stage), /maxmemory-policy/);
    await assertUnavailable(() => stage.store.ready(), /maxmemory-policy/);
    await stage.redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
    await assertRecovers(stage);
  });

  test('made a replica under us: the first refused write ends the reads', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.replicaof('127.0.0.1', 1);
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('a')), /replica/);
    await untilUnavailable(() => readA(stage));
    await stage.redis.admin.replicaof('NO', 'ONE');
    await assertRecovers(stage);
  });

  test('SCRIPT FLUSH: the script is sent again', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.script('FLUSH');
    assert.deepEqual(await stage.store.register([live('b')]), ['registered']);
    assert.equal((await stage.store.revokeToken(makeRevoke('b'))).outcome, 'revoked');
  });

  test('NOPERM: a user without the commands it needs', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.acl('SETUSER', 'default', '-mget');
    await assertUnavailable(() => readA(stage), /refuses a command/);
    await stage.redis.admin.acl('SETUSER', 'default', '+mget', '-set');
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('a')), /refuses a command/);
    await stage.redis.admin.acl('SETUSER', 'default', '+@all');
    await assertRecovers(stage);
  });

  test('keys of another type', async (t) => {
    const stage = await setUp(t);
    for (const key of [KEYS.meta, KEYS.log, KEYS.live, KEYS.liveExpiry, KEYS.unknown]) {
      await t.test(key, async () => {
        const had = (await stage.redis.admin.exists(key)) === 1;
        if (had) await stage.redis.admin.rename(key, 'aside');
        await stage.redis.admin.set(key, 'x');
        await assertUnavailable(async () => {
          await stage.store.revokeToken(makeRevoke('unknown'));
          await stage.store.revokeTag({ tag: ISSUER_TAG, issuerTag: ISSUER_TAG, beforeMs: 1 });
        }, /something else/);
        await stage.redis.admin.del(key);
        if (had) await stage.redis.admin.rename('aside', key);
      });
    }
    await stage.redis.admin.del(KEYS.entry(digestOf('a')));
    await stage.redis.admin.set(KEYS.entry(digestOf('a')), 'x');
    await assertUnavailable(() => readA(stage), /unknown form/);
  });

  test('restarted empty: a reset, and the store is made again with its time kept', async (t) => {
    const stage = await setUp(t);
    await stage.redis.kill();
    rmSync(`${stage.redis.folder}/appendonlydir`, { recursive: true });
    await stage.redis.start();
    await assertRecovers(stage, (entry) => entry === undefined);
    assert.equal((await readA(stage)).reset, true);
  });

  test('a log that is gone is begun again, which is a reset', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.del(KEYS.log);
    const { reset, cursor } = await readA(stage);
    assert.equal(reset, true);
    assert.equal((await readA({ ...stage, cursor })).reset, false);
  });

  test('CLIENT KILL: back in time', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await assertRecovers(stage);
  });

  test('a connection that is reset in the middle of a reply', async (t) => {
    const stage = await setUp(t);
    const proxy = await startCuttingProxy(stage.redis.socket);
    t.after(() => proxy.close());
    const store = await open(toServer(`redis://127.0.0.1:${proxy.port}`));
    t.after(() => store.close());
    proxy.cutAfterBytes(20);
    await assertUnavailable(() => store.read([digestOf('a')], stage.cursor));
    proxy.cutAfterBytes(undefined);
    await assertRecovers({ ...stage, store });
  });

  test('TLS is asked of a server that does not speak it', async (t) => {
    const { redis } = await setUp(t);
    const proxy = await startCuttingProxy(redis.socket);
    t.after(() => proxy.close());
    await assert.rejects(open(toServer(`rediss://127.0.0.1:${proxy.port}`)), StoreUnavailable);
  });
});
