// Every way in which a Redis can fail us: the answer is StoreUnavailable, in time; never inactive, never active; and the
// store is back soon after Redis is.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import { startCuttingProxy } from '../support/cutting-proxy.js';
import { REDIS_MISSING, startRedis } from '../support/redis-server.js';
import { digestOf, ISSUER_TAG, makeRevoke, tagOf } from './fixtures.js';
import { ROTATED_RING } from './harness.js';
import {
  assertRecovers,
  assertUnavailable,
  live,
  open,
  readA,
  setUp,
  untilUnavailable,
  WRITE_ANSWER_MS,
} from './redis-fault-stage.js';
import { toServer } from './redis-harness.js';

const KEYS = createRedisKeys('introspectd:');

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

  test('full: a daemon that begins to write with a new key revokes with it', async (t) => {
    const stage = await setUp(t);
    await stage.redis.admin.config('SET', 'maxmemory', '1');
    const rotated = await open(toServer(stage.redis.url), ROTATED_RING);
    t.after(() => rotated.close());
    assert.equal((await rotated.revokeToken(makeRevoke('a', ROTATED_RING))).outcome, 'revoked');
    const { digestKeys } = await rotated.meta();
    assert.deepEqual(
      digestKeys.map(({ check }) => check),
      ROTATED_RING.checks.digests,
    );
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

  test('restarted empty: a reset, and the store is made again with its time and its bounds kept', async (t) => {
    const stage = await setUp(t);
    await stage.store.changeBounds({ leaseMs: 7000 });
    await stage.redis.kill();
    rmSync(`${stage.redis.folder}/appendonlydir`, { recursive: true });
    await stage.redis.start();
    await assertRecovers(stage, (entry) => entry === undefined);
    const { reset, leaseMs } = await readA(stage);
    assert.deepEqual([reset, leaseMs], [true, 7000]);
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
