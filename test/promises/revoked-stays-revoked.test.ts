// Promises 1 and 2: after Revoke returned OK, on either of two daemons on one folder, nobody is told "active" again.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { toOutcome } from '../streams/stage.js';
import { openIntrospectStream, toChunk } from '../support/chunk-stream.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';

const REVOKES = 200;
const FAILED_PRECONDITION = 9;

describe('a revoked token', () => {
  let daemon: TestDaemon;
  let second: DaemonProcess;
  let reader: IntrospectionClient;
  before(async () => {
    const job = { name: 'job', permissions: ['stream'], issuers: [ISSUER], audiences: [AUDIENCE] };
    daemon = await startTestDaemon({ callers: [...CALLERS, job] });
    const { configFile, tls } = daemon.workspace;
    second = await startDaemonProcess({ configFile, logFile: `${daemon.logFile}.second` });
    reader = createIntrospectionClient({ target: second.target, tls: tls('orders'), timeoutMs: 5000 });
  });
  after(async () => {
    await reader.close();
    await second.stop('SIGKILL');
    await daemon.stop();
  });

  it('is dead on another daemon of the same store from the acknowledgement on', async () => {
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

  it('is dead in chunks of a stream at another daemon that are sent from the acknowledgement on', async () => {
    const stream = openIntrospectStream({ target: second.target, tls: daemon.workspace.tls('job') });
    const tokens = Array.from({ length: 50 }, (_, index) => `streamed-${index}`);
    await daemon.register(tokens.map((token) => ({ token })));
    for (const token of tokens) {
      stream.send(toChunk(1, [token]));
      assert.deepEqual(toOutcome(await stream.next()), [true]);
      stream.send(toChunk(2, tokens));
      await daemon.client('security').revoke(token);
      stream.send(toChunk(3, [token]));
      await stream.next();
      assert.deepEqual(toOutcome(await stream.next()), [false]);
    }
    stream.close();
  });

  it('cannot be registered again, before and after a crash, and revoking it again is OK', async () => {
    const token = 'comes-back';
    await daemon.register([{ token }]);
    await daemon.client('security').revoke(token);
    for (const claims of [{}, { sub: 'bob' }, { tokenUse: 2 as const }]) {
      const { results } = await daemon.tryRegister('login', [{ token, claims }]);
      assert.equal(results[0]?.status?.code, FAILED_PRECONDITION);
      await daemon.restart('SIGKILL');
      assert.deepEqual(await daemon.client('orders').introspect(token), { active: false });
    }
    await daemon.client('security').revoke(token);
    assert.deepEqual(await daemon.client('orders').introspect(token), { active: false });
  });

  it('that nobody knew stays dead when it is registered late', async () => {
    await daemon.client('security').revoke('revoked-first');
    const { results } = await daemon.tryRegister('login', [{ token: 'revoked-first' }]);
    assert.equal(results[0]?.status?.code, FAILED_PRECONDITION);
    assert.deepEqual(await daemon.client('orders').introspect('revoked-first'), { active: false });
  });

  it('takes its grant along when it is a refresh token, and a retry finds what came since', async () => {
    const grant = { grantId: 'grant-1' };
    await daemon.register([
      { token: 'refresh-1', claims: { ...grant, tokenUse: 2 } },
      { token: 'access-1', claims: grant },
      { token: 'access-other', claims: { grantId: 'grant-2' } },
    ]);
    assert.equal((await reader.introspect('access-1')).active, true);
    await daemon.client('security').revoke('refresh-1');
    for (const client of [reader, daemon.client('orders')]) {
      assert.deepEqual(await client.introspect('access-1'), { active: false });
      assert.equal((await client.introspect('access-other')).active, true);
    }
    const { results } = await daemon.tryRegister('login', [{ token: 'access-late', claims: grant }]);
    assert.equal(results[0]?.status?.code, FAILED_PRECONDITION);
    await daemon.restart('SIGKILL');
    await daemon.client('security').revoke('refresh-1');
    assert.deepEqual(await daemon.client('orders').introspect('access-1'), { active: false });
  });
});

describe('a token at its exp', () => {
  it('is active before and never after', async () => {
    const daemon = await startTestDaemon();
    after(() => daemon.stop());
    const expSeconds = Math.floor(Date.now() / 1000) + 2;
    await daemon.register([{ token: 'short-lived', claims: { exp: BigInt(expSeconds) } }]);
    const client = daemon.client('orders');
    let seen = 0;
    for (let ended = false; !ended; ) {
      ended = Date.now() > expSeconds * 1000 + 300;
      const invokedMs = Date.now();
      const { active } = await client.introspect('short-lived');
      if (active) seen++;
      assert.ok(!(active && invokedMs >= expSeconds * 1000), 'active at or after exp');
    }
    assert.ok(seen > 0, 'was active before');
    assert.deepEqual(await client.introspect('short-lived'), { active: false });
  });
});
