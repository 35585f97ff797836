// Promise 6 on Redis: what was acknowledged survives kill -9 of Redis and of a daemon, in turn.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS_MISSING } from '../support/redis-server.js';
import { startTwoDaemons, type TwoDaemons } from '../support/two-daemons.js';

const CYCLES = 30;
const REVOKES = 10;
const RECOVERY_MS = 5000;

describe('Redis and a daemon killed in turn while it revokes', { skip: REDIS_MISSING }, () => {
  let stage: TwoDaemons;
  before(async () => {
    stage = await startTwoDaemons();
  });
  after(() => stage.close());

  it(`lose no acknowledged revoke in ${CYCLES} cycles, and no token besides`, async () => {
    const { redis, daemon, reader } = stage;
    const acknowledged: string[] = [];
    const untouched: string[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const killsRedis = cycle % 2 === 0;
      const tokens = Array.from({ length: 2 * REVOKES }, (_, index) => `cycle-${cycle}-token-${index}`);
      untouched.push(`bystander-${cycle}`);
      await until(() => daemon.register([...tokens, `bystander-${cycle}`].map((token) => ({ token }))));
      const security = daemon.client('security');
      const revoked: string[] = [];
      let killing: Promise<unknown> | undefined;
      await Promise.allSettled(
        tokens.map(async (token) => {
          await security.revoke(token);
          revoked.push(token);
          if (revoked.length === REVOKES) killing = killsRedis ? redis.kill() : daemon.process.stop('SIGKILL');
        }),
      );
      await killing;
      assert.ok(revoked.length >= REVOKES, 'enough were acknowledged before the kill');
      acknowledged.push(...revoked);
      await (killsRedis ? redis.start() : daemon.restart('SIGKILL'));
      const answers = await until(() => Promise.all(revoked.map((token) => reader.introspect(token))));
      for (const answer of answers) assert.deepEqual(answer, { active: false });
    }
    await redis.restart('SIGKILL');
    const dead = await until(() => Promise.all(acknowledged.map((token) => reader.introspect(token))));
    for (const answer of dead) assert.deepEqual(answer, { active: false });
    for (const token of untouched) assert.equal((await reader.introspect(token)).active, true);
  });
});

/** Until Redis is back, doubt is an error. */
async function until<Result>(work: () => Promise<Result>): Promise<Result> {
  const endMs = performance.now() + RECOVERY_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(20);
    }
  }
}
