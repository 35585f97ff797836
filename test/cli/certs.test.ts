// Certificates made by the command, looked at by Node, by OpenSSL where it is installed, and by a TLS server.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { parse } from 'yaml';
import { runCli } from './support/run-cli.js';
import { temporaryFolder } from './support/temporary-folder.js';

const DAY_MS = 86_400_000;
const cwd = temporaryFolder();
const at = (name: string) => join(cwd, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const certificate = (name: string) => new X509Certificate(read(name));

async function certs(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(['certs', ...args], { cwd });
  assert.equal(code, 0, stderr);
  return stdout;
}

before(async () => {
  await certs('ca', '--out', 'pki');
  await certs('leaf', '--ca', 'pki', '--name', 'orders', '--spiffe', 'spiffe://m.example/orders', '--out', 'pki');
  await certs('leaf', '--ca', 'pki', '--name', 'batch', '--dns', 'batch.shop.svc', '--days', '2', '--out', 'pki');
  await certs('leaf', '--ca', 'pki', '--name', 'server', '--server', '--dns', 'introspectd.mesh', '--out', 'pki');
  await certs('crl', '--ca', 'pki', '--revoke', 'pki/batch.crt', '--out', 'pki/ca.crl');
});

function assertValidFor(name: string, days: number): void {
  const { validFrom, validTo } = certificate(name);
  assert.ok(Date.parse(validFrom) <= Date.now());
  assert.ok(Math.abs(Date.parse(validTo) - Date.now() - days * DAY_MS) < 60_000, `${name} is valid for ${days} days`);
}

test('the CA is one, and signs', () => {
  const ca = certificate('pki/ca.crt');
  assert.equal(ca.ca, true);
  assert.ok(ca.verify(ca.publicKey));
  assertValidFor('pki/ca.crt', 365);
});

test('leaves name who they are for, and nothing else', () => {
  const ca = certificate('pki/ca.crt');
  for (const [name, names, days, usage] of [
    ['orders', 'URI:spiffe://m.example/orders', 30, '1.3.6.1.5.5.7.3.2'],
    ['batch', 'DNS:batch.shop.svc', 2, '1.3.6.1.5.5.7.3.2'],
    [
      'server',
      'DNS:localhost, DNS:introspectd.mesh, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      30,
      '1.3.6.1.5.5.7.3.1',
    ],
  ] as const) {
    const leaf = certificate(`pki/${name}.crt`);
    assert.equal(leaf.subjectAltName, names);
    assert.deepEqual([leaf.ca, leaf.checkIssued(ca), leaf.verify(ca.publicKey)], [false, true, true]);
    // Its type says "string[] of OIDs"; older Node has it under this name alone.
    assert.deepEqual(leaf.keyUsage, [usage]);
    assertValidFor(`pki/${name}.crt`, days);
  }
});

test('serial numbers are positive, long, and all different', () => {
  const serials = ['ca', 'orders', 'batch', 'server'].map((name) => certificate(`pki/${name}.crt`).serialNumber);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  assert.equal(new Set(serials).size, serials.length);
});

test('keys are for their owner alone', () => {
  const keys = readdirSync(at('pki')).filter((name) => name.endsWith('.key'));
  assert.equal(keys.length, 4);
  for (const name of keys) {
    assert.equal(statSync(at(`pki/${name}`)).mode & 0o777, 0o600);
    assert.match(read(`pki/${name}`), /^-----BEGIN PRIVATE KEY-----\n/);
  }
});

test('nothing is overwritten, and nothing is written beside it', async () => {
  const before = read('pki/ca.key');
  for (const args of [
    ['ca', '--out', 'pki'],
    ['dev', '--out', 'pki'],
    ['leaf', '--ca', 'pki', '--name', 'orders', '--dns', 'x', '--out', 'pki'],
    ['crl', '--ca', 'pki', '--out', 'pki/ca.crl'],
  ]) {
    const { code, stdout, stderr } = await runCli(['certs', ...args], { cwd });
    assert.deepEqual([code, stdout], [1, ''], args.join(' '));
    assert.match(stderr, /is there already; nothing was written/);
  }
  assert.equal(read('pki/ca.key'), before);
  assert.ok(!existsSync(at('pki/issuer.crt')));
});

test('what would make no use is refused', async () => {
  for (const [args, said] of [
    [['--name', 'x'], /either --spiffe or --dns/],
    [['--name', 'x', '--spiffe', 'spiffe://a/b', '--dns', 'a'], /either --spiffe or --dns/],
    [['--name', 'x', '--spiffe', 'https://a/b'], /--spiffe must be/],
    [['--name', 'x', '--dns', '*.a'], /--dns must be/],
    [['--name', '../x', '--dns', 'a'], /--name becomes the name of a file/],
    [['--name', 'ca', '--dns', 'a'], /--name becomes the name of a file/],
  ] as const) {
    const { code, stderr } = await runCli(['certs', 'leaf', '--ca', 'pki', '--out', 'pki', ...args], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, said);
  }
  await certs('ca', '--out', 'other');
  const crl = await runCli(['certs', 'crl', '--ca', 'other', '--revoke', 'pki/batch.crt', '--out', 'x.crl'], { cwd });
  assert.equal(crl.code, 2);
  assert.match(crl.stderr, /is not a certificate of the CA/);
});

test('OpenSSL agrees', (t) => {
  const command = 'openssl';
  const openssl = (...args: readonly string[]) => spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (openssl('version').status !== 0) return t.skip('openssl is not installed');
  const crl = ['-crl_check', '-CAfile', 'pki/ca.crt', '-CRLfile', 'pki/ca.crl'];
  assert.equal(openssl('verify', ...crl, '-purpose', 'sslclient', '-x509_strict', 'pki/orders.crt').status, 0);
  assert.equal(openssl('verify', ...crl, '-purpose', 'sslserver', '-x509_strict', 'pki/server.crt').status, 0);
  const revoked = openssl('verify', ...crl, 'pki/batch.crt');
  assert.match(revoked.stdout + revoked.stderr, /certificate revoked/);
});

/** "ok", or the code of what a server with the revocation list says of the client. */
async function shake(client: string): Promise<string> {
  const options = { ca: read('pki/ca.crt'), cert: read('pki/server.crt'), key: read('pki/server.key') };
  const server = createServer({ ...options, crl: read('pki/ca.crl'), requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const files = { ca: read('pki/ca.crt'), cert: read(`pki/${client}.crt`), key: read(`pki/${client}.key`) };
  const socket = connect({ ...files, host: '127.0.0.1', port, servername: 'introspectd.mesh' });
  socket.on('error', () => undefined);
  const [peer] = await once(server, 'secureConnection');
  const outcome = peer.authorized ? 'ok' : String(peer.authorizationError);
  socket.destroy();
  peer.destroy();
  server.close();
  return outcome;
}

test('a TLS server takes the list, and refuses whom it names', async () => {
  assert.equal(await shake('orders'), 'ok');
  assert.equal(await shake('batch'), 'CERT_REVOKED');
});

test('certs dev makes all that a first daemon needs, and prints its tls section', async () => {
  const tls = parse(await certs('dev', '--out', 'dev')).tls;
  assert.deepEqual(tls, { cert_file: 'dev/server.crt', key_file: 'dev/server.key', client_ca_file: 'dev/ca.crt' });
  const names = ['ca', 'issuer', 'orders', 'server'].flatMap((name) => [`${name}.crt`, `${name}.key`]);
  assert.deepEqual(readdirSync(at('dev')).sort(), names);
  assert.equal(certificate('dev/issuer.crt').subjectAltName, 'URI:spiffe://dev.example/issuer');
  assert.equal(certificate('dev/orders.crt').subjectAltName, 'URI:spiffe://dev.example/orders');
});
