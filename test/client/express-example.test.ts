// examples/express-service as it stands, against a real daemon.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';

const EXAMPLE = fileURLToPath(new URL('../../../examples/express-service/server.mjs', import.meta.url));
const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'security', permissions: [], revoke: ['token'], issuers: [ISSUER], audiences: ['*'] },
];
const [GOOD, SCOPELESS] = ['express-example-token', 'express-example-token-without-scope'];

describe('the Express example', () => {
  let daemon: TestDaemon;
  let service: ChildProcess;
  let url: string;
  before(async () => {
    daemon = await startTestDaemon({ callers: CALLERS });
    await daemon.register([{ token: GOOD }, { token: SCOPELESS, claims: { scope: 'profile' } }]);
    const { caFile, certFile, keyFile } = daemon.workspace.tls('orders');
    const env = { INTROSPECTD_TARGET: daemon.process.target, CA_FILE: caFile, CERT_FILE: certFile, KEY_FILE: keyFile };
    service = spawn(process.execPath, [EXAMPLE], {
      env: { ...process.env, ...env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: service.stdout as NodeJS.ReadableStream }), 'line');
    url = /http:\S+/.exec(String(line))?.[0] ?? '';
  });
  after(async () => {
    service.kill('SIGKILL');
    await daemon.stop();
  });

  async function get(headers: Record<string, string>) {
    const response = await fetch(`${url}/orders`, { headers, signal: AbortSignal.timeout(5_000) });
    return [response.status, response.headers.get('www-authenticate'), await response.json()] as const;
  }

  it('serves whoever comes with a good token, and nobody else', async () => {
    for (let call = 0; call < 20; call++) {
      assert.deepEqual(await get({ authorization: `Bearer ${GOOD}` }), [200, null, { owner: 'alice', orders: [] }]);
    }
    assert.deepEqual(await get({}), [401, 'Bearer realm="orders"', {}]);
    const unknown = await get({ authorization: 'Bearer unknown' });
    assert.deepEqual(unknown, [401, 'Bearer realm="orders", error="invalid_token"', { error: 'invalid_token' }]);
    const scopeless = await get({ authorization: `Bearer ${SCOPELESS}` });
    assert.equal(scopeless[0], 403);
    assert.match(String(scopeless[1]), /error="insufficient_scope", scope="read"/);
  });

  it('refuses the token once it is revoked, and says 503 when nobody knows', async () => {
    await daemon.client('security').revoke(GOOD, { waitForCaches: true });
    assert.equal((await get({ authorization: `Bearer ${GOOD}` }))[0], 401);
    await daemon.process.stop('SIGKILL');
    // One lease and the second of an inactive answer later nothing is left to answer from.
    const endMs = performance.now() + 10_000;
    for (;;) {
      const [status] = await get({ authorization: `Bearer ${SCOPELESS}` });
      if (status === 503) break;
      assert.ok(performance.now() < endMs);
    }
  });

  it('ends at SIGTERM', async () => {
    const exited = once(service, 'exit', { signal: AbortSignal.timeout(10_000) });
    service.kill('SIGTERM');
    const [code] = await exited;
    assert.equal(code, 0);
  });
});
