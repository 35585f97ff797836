// Each thing that a script can say, from the script itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import { COMMIT_ALWAYS_SCRIPT, COMMIT_SCRIPT, type RedisScript, SETTLE_SCRIPT } from '../../src/store/redis-scripts.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

const KEYS = createRedisKeys('scripts:');
const ENTRY = 'scripts:{p00}:t:x';
const FOREVER_MS = Date.UTC(2100, 0, 1);

interface Commit {
  readonly settings?: string;
  readonly deadlineMs?: number;
  readonly maxUnknown?: number | '';
  readonly entry?: string;
  readonly live?: string;
  readonly writes?: readonly (string | number)[];
}

describe('Redis scripts', { skip: REDIS_MISSING }, () => {
  let redis: TestRedis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());

  const run = ({ text }: RedisScript, keys: readonly string[], args: readonly (string | number)[]) =>
    redis.admin.eval(text, keys.length, ...keys, ...args);
  const settle = (there: string, next: string, timeMs = 1000) =>
    run(SETTLE_SCRIPT, [KEYS.meta, KEYS.log], [there, next, timeMs, 'first']);
  const commit = (script: RedisScript, request: Commit = {}) => {
    const { settings = 's', deadlineMs = FOREVER_MS, maxUnknown = '', entry = '', live = '', writes = [] } = request;
    const keys = [KEYS.meta, KEYS.log, KEYS.live, KEYS.liveExpiry, KEYS.unknown, ENTRY];
    return run(script, keys, [settings, 2000, deadlineMs, 10, maxUnknown, 1, entry, 'tag', live, ...writes]);
  };
  const begin = async () => {
    await redis.admin.flushall();
    assert.equal(await settle('', 's'), 1);
  };
  const snapshot = async () => [
    await redis.admin.get(ENTRY),
    await redis.admin.hgetall(KEYS.live),
    await redis.admin.xlen(KEYS.log),
    await redis.admin.hgetall(KEYS.meta),
  ];

  test('settle: 1 makes a store with a first log entry; again it is 0 and changes nothing', async () => {
    await begin();
    assert.deepEqual(await redis.admin.hgetall(KEYS.meta), { settings: 's', time: '1000' });
    assert.equal(await redis.admin.xlen(KEYS.log), 1);
    assert.equal(await settle('', 'other'), 0);
    assert.deepEqual(await redis.admin.hgetall(KEYS.meta), { settings: 's', time: '1000' });
  });

  test('settle: 1 takes new settings in place of those that were read, and leaves the time', async () => {
    await begin();
    assert.equal(await settle('s', 'next', 9000), 1);
    assert.deepEqual(await redis.admin.hgetall(KEYS.meta), { settings: 'next', time: '1000' });
  });

  test('commit: ok writes all of it, gives the ids of the log and moves the time, never back', async () => {
    await begin();
    const writes = ['g', 'one', 'g', 'two', 'l', 'tag', 'LIVE', FOREVER_MS, 'e', 1, 'ENTRY', FOREVER_MS, ''];
    const [ok, ...ids] = (await commit(COMMIT_SCRIPT, { writes })) as string[];
    assert.equal(ok, 'ok');
    const log = await redis.admin.xrange(KEYS.log, '-', '+');
    assert.deepEqual(log.slice(1), [
      [ids[0], ['r', 'one']],
      [ids[1], ['r', 'two']],
    ]);
    assert.deepEqual((await snapshot()).slice(0, 2), ['ENTRY', { tag: 'LIVE' }]);
    assert.equal(await redis.admin.pexpiretime(ENTRY), FOREVER_MS);
    assert.equal(await redis.admin.hget(KEYS.meta, 'time'), '2000');
    await redis.admin.hset(KEYS.meta, 'time', '5000');
    await commit(COMMIT_SCRIPT, { entry: 'ENTRY', live: 'LIVE' });
    assert.equal(await redis.admin.hget(KEYS.meta, 'time'), '5000');
  });

  const REFUSED: readonly (readonly [name: string, request: Commit, outcome: string])[] = [
    ['an entry came', { entry: 'seen' }, 'conflict'],
    ['a live revocation came', { live: 'seen' }, 'conflict'],
    ['the settings are others', { settings: 'old' }, 'conflict'],
    ['its time is over: nobody waits for it any more', { deadlineMs: 1 }, 'late'],
    ['there is no room for an unknown tombstone', { maxUnknown: 0 }, 'full'],
  ];
  for (const [name, request, outcome] of REFUSED) {
    test(`commit: ${outcome} writes nothing (${name})`, async () => {
      await begin();
      const before = await snapshot();
      const writes = ['g', 'one', 'l', 'tag', 'LIVE', FOREVER_MS, 'e', 1, 'ENTRY', FOREVER_MS, FOREVER_MS];
      for (const script of [COMMIT_SCRIPT, COMMIT_ALWAYS_SCRIPT]) {
        assert.deepEqual(await commit(script, { ...request, writes }), [outcome]);
      }
      assert.deepEqual(await snapshot(), before);
    });
  }

  test('commit: unknown tombstones are counted while they live, and forgotten when they are replaced', async () => {
    await begin();
    const unknown = ['e', 1, 'TOMB', FOREVER_MS, FOREVER_MS];
    assert.deepEqual(await commit(COMMIT_SCRIPT, { maxUnknown: 1, writes: unknown }), ['ok']);
    assert.deepEqual(await commit(COMMIT_SCRIPT, { maxUnknown: 1, entry: 'TOMB' }), ['full']);
    assert.deepEqual(await commit(COMMIT_SCRIPT, { entry: 'TOMB', writes: ['e', 1, 'E', FOREVER_MS, '-'] }), ['ok']);
    assert.equal(await redis.admin.zcard(KEYS.unknown), 0);
  });

  test('commit: removes live revocations whose time is over', async () => {
    await begin();
    await commit(COMMIT_SCRIPT, { writes: ['l', 'tag', 'LIVE', 1999] });
    assert.deepEqual(await redis.admin.hgetall(KEYS.live), {});
    assert.equal(await redis.admin.zcard(KEYS.liveExpiry), 0);
  });

  test('the log is trimmed to its bound', async () => {
    await begin();
    for (let index = 0; index < 30; index++) await commit(COMMIT_SCRIPT, { writes: ['g', String(index)] });
    assert.equal(await redis.admin.xlen(KEYS.log), 10);
  });
});
