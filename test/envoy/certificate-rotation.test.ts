// The certificate of a daemon is replaced under an Envoy that goes on asking.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startRotatingDaemon } from '../support/rotating-daemon.js';
import { startEnvoy } from './support/envoy.js';
import { findEnvoyBinary } from './support/envoy-binary.js';

const found = findEnvoyBinary();
const TIMEOUT_MS = 20_000;

test('certificates rotate without a refused request', { skip: typeof found === 'string' && found }, async (t) => {
  if (typeof found === 'string') return;
  const callers = [
    { name: 'orders', permissions: ['check'], issuers: [ISSUER], audiences: [AUDIENCE] },
    { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  ];
  // Connections that are renewed soon meet the new certificate soon. A tenth of their age must be longer than the time
  // between two health checks: within it the daemon finds a moment at which none is on its way. Nothing here is about time:
  // a Check that is late on a busy machine would be 503 for that alone.
  const daemon = await startRotatingDaemon(callers, {
    limits: { connection_age: '4s', store_timeout: '5s' },
    ext_authz: { budget: '5s' },
  });
  t.after(() => daemon.stop());
  await daemon.register([{ token: 'good-while-certificates-rotate' }]);
  const serverTls = { certFile: daemon.secretPath('tls.crt'), keyFile: daemon.secretPath('tls.key') };
  const tls = daemon.tls('orders');
  const envoy = await startEnvoy({ binary: found, tls, serverTls, daemons: [daemon.target], patience: 'long' });
  t.after(() => envoy.stop());
  const ask = () => envoy.ask('/', { headers: { authorization: 'Bearer good-while-certificates-rotate' } });
  assert.equal((await ask()).status, 200);

  const secret = await daemon.newSecret();
  daemon.turnSecret(secret);
  await daemon.untilLogged(1, 'reloaded', 'tls');
  const handshakes = () => envoy.stat('cluster.introspectd.ssl.handshake');
  const before = await handshakes();
  const endMs = performance.now() + TIMEOUT_MS;
  // One of the health checks may be on its way: more than one is needed.
  while ((await handshakes()) < before + 3) {
    assert.equal((await ask()).status, 200);
    assert.ok(performance.now() < endMs, 'no new connection');
  }
  assert.equal((await daemon.shakeHands('orders')).pem.trim(), secret['tls.crt'].trim());
  assert.equal((await ask()).status, 200);
});
