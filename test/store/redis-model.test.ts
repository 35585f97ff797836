import { after, before } from 'node:test';
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
  console.warn(`SKIPPED: the Redis token store is not tested: ${REDIS_MISSING}`);
}
