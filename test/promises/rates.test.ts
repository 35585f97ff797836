// Rates through a daemon: a caller is told when to come back, and no new connection makes a new bucket.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createIntrospectionClient } from '@introspectd/client';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';

const TOKEN = 'a-token-that-is-asked-about-often';
/** Nobody's machine is so slow that it fills while a test runs. */
const SLOW = { per_second: 1, burst: 60 };
const LIMITED = { code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED', retryable: true };

describe('a rate', () => {
  let daemon: TestDaemon;
  before(async () => {
    const rule = { issuers: [ISSUER], audiences: [AUDIENCE] };
    daemon = await startTestDaemon({
      callers: [
        { name: 'login', permissions: ['register'], ...rule },
        { name: 'orders', permissions: ['introspect', 'batch'], ...rule, rate: SLOW },
        { name: 'free', permissions: ['introspect'], ...rule },
        { name: 'importer', permissions: ['register'], ...rule, rate: SLOW },
        {
          name: 'security',
          permissions: [],
          revoke: ['token'],
          ...rule,
          unknown_revoke_rate: { per_second: 1, burst: 5 },
        },
      ],
    });
    await daemon.register([{ token: TOKEN }]);
  });
  after(() => daemon.stop());

  it('is counted by token, over methods and connections, of one caller alone', async () => {
    const orders = daemon.client('orders');
    const times = (count: number) => Array.from({ length: count }, () => TOKEN);
    await orders.introspectMany(times(29));
    assert.equal((await orders.introspect(TOKEN)).active, true);
    await assert.rejects(orders.introspectMany(times(50)), LIMITED);
    await orders.introspectMany(times(30));
    const another = createIntrospectionClient({
      target: daemon.process.target,
      tls: daemon.workspace.tls('orders'),
      timeoutMs: 5000,
    });
    await assert.rejects(another.introspectMany(times(30)), LIMITED);
    await another.close();
    await assert.rejects(orders.introspectMany(times(30)), (error: { retryDelayMs?: number }) => {
      assert.ok(error.retryDelayMs !== undefined && error.retryDelayMs > 10_000 && error.retryDelayMs <= 30_000);
      return true;
    });
    assert.equal((await daemon.client('free').introspect(TOKEN)).active, true);
  });

  it('of registrations is counted by entry', async () => {
    const entries = Array.from({ length: 40 }, (_, index) => ({ token: `imported-${index}` }));
    const { results } = await daemon.tryRegister('importer', entries);
    assert.equal(results.length, 40);
    await assert.rejects(daemon.tryRegister('importer', entries), { code: 8 });
  });

  it('of unknown tokens keeps no known one from being revoked', async () => {
    const security = daemon.client('security');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => security.revoke(`never-registered-${index}`)),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.ok(refused.length >= 10, `${refused.length} of 20 refused`);
    for (const { reason } of refused) assert.equal(reason.reason, 'RATE_LIMITED');
    await security.revoke(TOKEN);
    assert.equal((await daemon.client('free').introspect(TOKEN)).active, false);
  });
});
