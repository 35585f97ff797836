// What daemons know beside Redis, the place in its log and the revocation table, never outlives the log: lost or cut
// under running daemons, it is loaded anew.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import { REDIS_MISSING } from '../support/redis-server.js';
import type { TestToken } from '../support/register-tokens.js';
import { startTwoDaemons, type TwoDaemons } from '../support/two-daemons.js';

const KEYS = createRedisKeys('introspectd:');
const GRANTS = 20;

describe('a Redis that is changed under two daemons', { skip: REDIS_MISSING }, () => {
  let stage: TwoDaemons;
  before(async () => {
    stage = await startTwoDaemons();
  });
  after(() => stage.close());

  const LOSSES: readonly (readonly [name: string, lose: () => Promise<unknown>])[] = [
    ['the log is trimmed beyond the cursor of both', () => stage.redis.admin.xtrim(KEYS.log, 'MAXLEN', 1)],
    ['the log is deleted', () => stage.redis.admin.del(KEYS.log)],
    ['meta is deleted', () => stage.redis.admin.del(KEYS.meta)],
    ['meta and log are deleted', () => stage.redis.admin.del(KEYS.meta, KEYS.log)],
  ];
  for (const [name, lose] of LOSSES) {
    it(`${name}: what was revoked is dead at both, the rest is alive`, async () => {
      const { daemon, reader } = stage;
      const names = Array.from({ length: GRANTS }, (_, index) => `${name} ${index}`.replaceAll(' ', '-'));
      const alive = `alive-${names[0]}`;
      await daemon.register([{ token: alive }, ...names.flatMap(toPair)]);
      // From here on both have a place in the log.
      assert.equal((await reader.introspect(alive)).active, true);
      assert.equal((await daemon.client('orders').introspect(alive)).active, true);
      // Access tokens die by the log and the table alone: their entries stay records. A daemon that runs would hear of
      // each revocation at once.
      await stage.withoutReader(async () => {
        for (const grant of names) await daemon.client('security').revoke(`refresh-${grant}`);
        await lose();
      });
      for (const caller of [reader, daemon.client('orders')]) {
        for (const grant of names) assert.deepEqual(await caller.introspect(`access-${grant}`), { active: false });
        assert.equal((await caller.introspect(alive)).active, true);
      }
      await daemon.client('security').revoke(alive);
      assert.deepEqual(await reader.introspect(alive), { active: false });
    });
  }

  it('FLUSHALL: nothing is active any more, and the store works again', async () => {
    const { daemon, reader, redis } = stage;
    await daemon.register([{ token: 'revoked' }, { token: 'flushed' }]);
    await daemon.client('security').revoke('revoked');
    await redis.admin.flushall();
    for (const caller of [reader, daemon.client('orders')]) {
      for (const token of ['revoked', 'flushed']) assert.deepEqual(await caller.introspect(token), { active: false });
    }
    await daemon.register([{ token: 'after' }]);
    assert.equal((await reader.introspect('after')).active, true);
    await daemon.client('security').revoke('after');
    assert.deepEqual(await reader.introspect('after'), { active: false });
  });
});

function toPair(grantId: string): TestToken[] {
  return [
    { token: `refresh-${grantId}`, claims: { grantId, tokenUse: 2 } },
    { token: `access-${grantId}`, claims: { grantId } },
  ];
}
