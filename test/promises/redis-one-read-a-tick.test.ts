// DESIGN §7: the unary reads of one tick go to Redis as one pipeline. Counted by the server itself.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startInProcessDaemon } from '../support/in-process-daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

const CALLS = 100;

describe('concurrent calls on Redis', { skip: REDIS_MISSING }, () => {
  it(`${CALLS} Introspects at once make at most 3 pipelines`, async () => {
    const redis = await startRedis();
    after(() => redis.close());
    const daemon = await startInProcessDaemon((store) => store, { store: { kind: 'redis', url: redis.url } });
    after(() => daemon.stop());
    const tokens = Array.from({ length: CALLS }, (_, index) => `tick-${index}`);
    await daemon.register(tokens.map((token) => ({ token })));
    const client = daemon.client('orders');
    await client.introspect('warm-up');
    const before = await countReads(redis);
    const answers = await Promise.all(tokens.map((token) => client.introspect(token)));
    const reads = (await countReads(redis)) - before;
    assert.ok(answers.every(({ active }) => active));
    assert.ok(reads >= 1 && reads <= 3, `${reads} reads of Redis`);
  });
});

/** A pipeline that reads entries has one MGET. */
async function countReads(redis: TestRedis): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
