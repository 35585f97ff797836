// DESIGN §6: records are read before the log, so that what is found in them is true at the log read. Told by the server
// itself, since no revocation can be made to fall between two commands that it reads at once.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { digestOf, makeEntry } from './fixtures.js';
import { makeRedisHarness } from './redis-harness.js';

describe('Redis', { skip: REDIS_MISSING }, () => {
  let redis: TestRedis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.close());

  it('reads records before the log', async (t) => {
    const harness = await makeRedisHarness(() => redis)();
    // Whatever the outcome: what is left open keeps the process.
    t.after(() => harness.close());
    await harness.store.register([makeEntry('a')]);
    const { cursor } = await harness.store.read([], undefined);
    const monitor = await redis.admin.monitor();
    t.after(() => monitor.disconnect());
    const commands: string[] = [];
    monitor.on('monitor', (_time: string, [name = '']: string[]) => commands.push(name.toUpperCase()));
    const { entries } = await harness.store.read([digestOf('a')], cursor);
    assert.ok(entries[0]);
    await redis.admin.ping();
    while (!commands.includes('PING')) await new Promise(setImmediate);
    const order = commands.filter((name) => name === 'MGET' || name === 'XRANGE');
    assert.deepEqual(order, ['MGET', 'XRANGE']);
  });
});
