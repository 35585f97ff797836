// The entries of a read come before its log: read after it, they could hold a token that was dead from the beginning, by
// a revocation that the log did not have yet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { digestOf } from './fixtures.js';
import { makeRedisHarness } from './redis-harness.js';

let redis: TestRedis;

if (REDIS_MISSING === false) {
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());
}

test('a read of Redis takes the entries before the log', { skip: REDIS_MISSING }, async () => {
  const harness = await makeRedisHarness(() => redis)();
  const monitor = await redis.admin.monitor();
  try {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, [command = '', , from]: readonly string[]) => {
        const name = command.toUpperCase();
        // The first read has no place in the log to begin at.
        if (name === 'MGET' || (name === 'XRANGE' && from !== '+')) order.push(name);
        if (order.length === 2) resolve();
      });
    });
    const { cursor } = await harness.store.read([], undefined);
    await harness.store.read([digestOf('a')], cursor);
    await done;
    assert.deepEqual(order, ['MGET', 'XRANGE']);
  } finally {
    monitor.disconnect();
    await harness.close();
  }
});
