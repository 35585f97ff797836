// Promise 8 through a daemon: what each certificate may ask. test/grpc/callers.test.ts has the certificates themselves.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';

const TOKEN = 'a-token-that-everybody-asks-about';

describe('a caller', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await startTestDaemon({ strangers: ['stranger'] });
    await daemon.register([{ token: TOKEN }]);
  });
  after(() => daemon.stop());

  it('one with the permission is answered', async () => {
    assert.equal((await daemon.client('orders').introspect(TOKEN)).active, true);
  });

  it('one that the policy does not know is refused everything', async () => {
    const refused = { code: 'PERMISSION_DENIED', reason: 'CALLER_UNKNOWN' };
    const stranger = daemon.client('stranger');
    await assert.rejects(stranger.introspect(TOKEN), refused);
    await assert.rejects(stranger.introspectMany([TOKEN]), refused);
    await assert.rejects(stranger.revoke(TOKEN), refused);
    await assert.rejects(daemon.tryRegister('stranger', [{ token: 'new' }]), { code: 7 });
  });

  it('one without the permission is refused, whatever else it may do', async () => {
    const refused = { code: 'PERMISSION_DENIED', reason: 'PERMISSION_MISSING' };
    await assert.rejects(daemon.client('security').introspect(TOKEN), refused);
    await assert.rejects(daemon.client('login').introspectMany([TOKEN]), refused);
    await assert.rejects(daemon.client('orders').revoke(TOKEN), refused);
    await assert.rejects(daemon.tryRegister('orders', [{ token: 'new' }]), { code: 7 });
    assert.equal((await daemon.client('orders').introspect(TOKEN)).active, true, 'nothing was revoked');
  });

  it('one that registers for an issuer of others is refused that entry', async () => {
    const { results } = await daemon.tryRegister('login', [
      { token: 'mine' },
      { token: 'theirs', claims: { iss: 'https://theirs.example' } },
    ]);
    assert.deepEqual(
      results.map(({ status }) => status?.code ?? 0),
      [0, 7],
    );
  });
});
