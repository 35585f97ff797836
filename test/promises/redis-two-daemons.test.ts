// Two daemons, one Redis: what is revoked at one is dead at the other, and what was acknowledged outlives kill -9.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IntrospectionClient } from '@introspectd/client';
import type { TestDaemon } from '../support/daemon.js';
import { REDIS_MISSING, type TestRedis } from '../support/redis-server.js';
import { startTwoDaemons, type TwoDaemons } from '../support/two-daemons.js';

const REVOKES = 200;
const CRASHES = 5;
const RECOVERY_MS = 2000;

describe('two daemons on one Redis', { skip: REDIS_MISSING }, () => {
  let stage: TwoDaemons;
  let redis: TestRedis;
  let daemon: TestDaemon;
  let reader: IntrospectionClient;
  before(async () => {
    stage = await startTwoDaemons();
    ({ redis, daemon, reader } = stage);
  });
  after(() => stage.close());

  it('what is revoked at one is dead at the other from the acknowledgement on', async () => {
    const tokens = Array.from({ length: REVOKES }, (_, index) => `shared-${index}`);
    await daemon.register(tokens.map((token) => ({ token })));
    const security = daemon.client('security');
    for (const token of tokens) {
      assert.equal((await reader.introspect(token)).active, true);
      const [{ revision }] = await Promise.all([security.revoke(token), reader.introspect(token)]);
      assert.ok(revision.length > 0);
      assert.deepEqual(await reader.introspect(token), { active: false });
    }
  });

  it('a refresh token takes its grant along, at the other too', async () => {
    const grant = { grantId: 'grant-1' };
    await daemon.register([
      { token: 'refresh-1', claims: { ...grant, tokenUse: 2 } },
      { token: 'access-1', claims: grant },
    ]);
    assert.equal((await reader.introspect('access-1')).active, true);
    await daemon.client('security').revoke('refresh-1');
    assert.deepEqual(await reader.introspect('access-1'), { active: false });
  });

  it('what was acknowledged outlives kill -9 of Redis, and doubt is an error meanwhile', async () => {
    for (let crash = 0; crash < CRASHES; crash++) {
      const [dead, alive] = [`dead-${crash}`, `alive-${crash}`];
      await daemon.register([{ token: dead }, { token: alive }]);
      await daemon.client('security').revoke(dead);
      await redis.kill();
      await assert.rejects(reader.introspect(alive));
      await redis.start();
      const endMs = performance.now() + RECOVERY_MS;
      for (;;) {
        const answer = await reader.introspect(dead).catch(() => undefined);
        if (answer !== undefined) {
          assert.deepEqual(answer, { active: false });
          break;
        }
        assert.ok(performance.now() < endMs, `not back within ${RECOVERY_MS} ms`);
        await sleep(10);
      }
      assert.equal((await reader.introspect(alive)).active, true);
      await untilReady(() => daemon.register([{ token: `again-${crash}` }]));
    }
  });
});

/** The first daemon reconnects by its own time. */
async function untilReady(work: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + RECOVERY_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(20);
    }
  }
}
