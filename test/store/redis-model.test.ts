import { after, before, test } from 'node:test';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { testAgainstModel } from './model-run.js';
import { makeRedisHarness } from './redis-harness.js';

let redis: TestRedis;

if (REDIS_MISSING === false) {
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());
  testAgainstModel(
    'Redis token store',
    makeRedisHarness(() => redis),
    200,
  );
} else {
  test('Redis token store', { skip: REDIS_MISSING });
}
