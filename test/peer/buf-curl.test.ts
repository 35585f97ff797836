// A second client that shares no code with ours, in Go, and installed with the rest: `buf curl` knows proto/ alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon } from '../support/daemon.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const BUF = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url));

test('buf curl registers, introspects and revokes', async (t) => {
  const daemon = await startTestDaemon();
  t.after(() => daemon.stop());

  function call(caller: string, method: string, request: object) {
    const { caFile, certFile, keyFile } = daemon.workspace.tls(caller);
    const tls = ['--cacert', caFile, '--cert', certFile, '--key', keyFile];
    const url = `https://${daemon.process.target}/introspectd.v1.${method}`;
    const args = [BUF, 'curl', '--protocol', 'grpc', '--schema', 'proto', ...tls, '--data', '@-', url];
    const input = JSON.stringify(request);
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, input, encoding: 'utf8' });
    return { status, answer: JSON.parse(stdout || stderr) };
  }

  const token = 'a-token-of-buf-curl';
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: [AUDIENCE],
    sub: 'alice',
    iat,
    exp: iat + 600,
    token_use: 'TOKEN_USE_ACCESS_TOKEN',
  };
  const registered = call('login', 'TokenRegistryService/RegisterTokens', { entries: [{ token, claims }] });
  assert.deepEqual(registered, { status: 0, answer: { results: [{ status: {} }] } });

  const active = call('orders', 'IntrospectionService/Introspect', { token });
  assert.equal(active.answer.active, true);
  assert.equal(active.answer.claims.sub, 'alice');

  // buf ends with eight times the gRPC code: 7 is PERMISSION_DENIED.
  const denied = call('orders', 'IntrospectionService/Revoke', { token });
  assert.equal(denied.status, 8 * 7);
  const [{ type, value }] = denied.answer.details;
  assert.equal(type, 'google.rpc.ErrorInfo');
  assert.match(Buffer.from(value, 'base64').toString('latin1'), /PERMISSION_MISSING.*introspectd/s);

  const revoked = call('security', 'IntrospectionService/Revoke', { token });
  assert.equal(revoked.status, 0);
  const inactive = call('orders', 'IntrospectionService/Introspect', { token });
  assert.deepEqual(inactive, call('orders', 'IntrospectionService/Introspect', { token: 'never-registered' }));
  assert.notEqual(inactive.answer.active, true);
});
