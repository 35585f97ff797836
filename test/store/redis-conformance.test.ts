import { after, before, test } from 'node:test';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { describeTokenStore } from './conformance.js';
import { makeRedisHarness } from './redis-harness.js';

let redis: TestRedis;

if (REDIS_MISSING === false) {
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());
  describeTokenStore(
    'Redis token store',
    makeRedisHarness(() => redis),
  );
} else {
  test('Redis token store', { skip: REDIS_MISSING });
}
