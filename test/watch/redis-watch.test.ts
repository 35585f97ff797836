import { after, before, test } from 'node:test';
import { makeRedisHarness } from '../store/redis-harness.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { describeWatch } from './watch-cases.js';

let redis: TestRedis;

if (REDIS_MISSING === false) {
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());
  describeWatch(
    'Redis',
    makeRedisHarness(() => redis),
  );
} else {
  test('WatchRevocations on Redis', { skip: REDIS_MISSING });
}
