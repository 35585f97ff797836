// Promise 6, and 1 across a crash: what was acknowledged survives kill -9, cycle after cycle.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startTestDaemon } from '../support/daemon.js';

const CYCLES = 30;
const REVOKES = 20;

describe('a daemon killed while it revokes', () => {
  it(`loses no acknowledged revoke in ${CYCLES} cycles of ${REVOKES}, and no token besides`, async () => {
    const daemon = await startTestDaemon();
    after(() => daemon.stop());
    const acknowledged: string[] = [];
    const untouched: string[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const tokens = Array.from({ length: 2 * REVOKES }, (_, index) => `cycle-${cycle}-token-${index}`);
      await daemon.register(tokens.map((token) => ({ token })));
      untouched.push(`cycle-${cycle}-bystander`);
      await daemon.register([{ token: `cycle-${cycle}-bystander` }]);

      const security = daemon.client('security');
      const revoked: string[] = [];
      let killing: Promise<number | null> | undefined;
      await Promise.allSettled(
        tokens.map(async (token) => {
          await security.revoke(token);
          revoked.push(token);
          if (revoked.length === REVOKES) killing = daemon.process.stop('SIGKILL');
        }),
      );
      await killing;
      assert.ok(revoked.length >= REVOKES, 'enough were acknowledged before the kill');
      acknowledged.push(...revoked);
      await daemon.restart('SIGKILL');
    }
    const orders = daemon.client('orders');
    for (const answer of await orders.introspectMany(acknowledged)) assert.deepEqual(answer, { active: false });
    for (const answer of await orders.introspectMany(untouched)) assert.ok('active' in answer && answer.active);
  });
});
