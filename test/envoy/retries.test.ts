// The example's Envoy asks again what a daemon refused: a connection may end while a Check is on its way to it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CheckResponse } from '../../src/gen/envoy/service/auth/v3/external_auth.js';
import { toGrpcFrame } from '../../src/grpc/grpc-frame.js';
import { createTestCa } from '../support/test-ca.js';
import { startEnvoy } from './support/envoy.js';
import { findEnvoyBinary } from './support/envoy-binary.js';

const found = findEnvoyBinary();
const ALLOWED: CheckResponse = {
  status: { code: 0, message: '', details: [] },
  httpResponse: undefined,
  dynamicMetadata: undefined,
};
const ALLOW = toGrpcFrame(CheckResponse.encode(ALLOWED).finish());

test('a Check that was refused is asked once more', { skip: typeof found === 'string' && found }, async (t) => {
  if (typeof found === 'string') return;
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-retries-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ca = await createTestCa('introspectd test CA');
  const server = await ca.issue({ dnsNames: ['localhost'] });
  const at = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const tls = {
    caFile: at('ca.crt', ca.certPem),
    certFile: at('tls.crt', server.certPem),
    keyFile: at('tls.key', server.keyPem),
  };

  let asked = 0;
  let refusals = 0;
  const sockets = new Set<Socket>();
  const daemon = createSecureServer({ cert: server.certPem, key: server.keyPem });
  daemon.on('secureConnection', (socket: Socket) => sockets.add(socket));
  daemon.on('stream', (stream) => {
    asked += 1;
    stream.on('error', () => undefined);
    if (refusals-- > 0) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume().end(ALLOW);
  });
  daemon.listen(0, '127.0.0.1');
  await once(daemon, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    daemon.close();
  });

  const { port } = daemon.address() as AddressInfo;
  const daemons = [`127.0.0.1:${port}`];
  const envoy = await startEnvoy({
    binary: found,
    tls,
    serverTls: tls,
    daemons,
    patience: 'long',
    healthChecks: 'none',
  });
  t.after(() => envoy.stop());
  const ask = async (refused: number) => {
    [asked, refusals] = [0, refused];
    const { status } = await envoy.ask('/');
    return [status, asked];
  };
  assert.deepEqual(await ask(0), [200, 1]);
  assert.deepEqual(await ask(1), [200, 2]);
  assert.deepEqual(await ask(2), [503, 2], 'once and no more');
});
