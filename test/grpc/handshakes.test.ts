// Connections that are refused before they can ask: told by why, in a counter and, once a second, in the log.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { createProcessFacts } from '../../src/cli/process-facts.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { createTestServerCredentials, getTestCa, startTestServer } from '../support/start-server.js';
import { createTestCa, type TestIdentity } from '../support/test-ca.js';
import { parseSamples } from '../telemetry/prometheus-text.js';
import { until } from './until.js';

const URIS = { uris: ['spiffe://mesh.test/orders'] };
const HOUR_MS = 3_600_000;
const BOUND_MS = 5000;
const BURST = 30;
const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

/** As other libraries do, with an alert; the client of Node goes without a word. */
async function refuseServer(port: number): Promise<void> {
  const openssl = spawn(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error', '-alpn', 'h2'],
    {
      stdio: 'ignore',
    },
  );
  await once(openssl, 'close');
}

test('every way of not getting in is counted by its reason, and no peer fills the log', async (t) => {
  const [ca, other] = [await getTestCa(), await createTestCa('other')];
  const revoked = await ca.issue(URIS);
  const past = { notBefore: new Date(Date.now() - 2 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
  const metrics = createMetrics(createProcessFacts());
  t.after(() => metrics.stop());
  const credentials = await createTestServerCredentials(await ca.crl([revoked]));
  await using server = await startTestServer({ credentials, observer: metrics.calls });
  const port = Number(server.target.split(':')[1]);

  const shake = (options: ConnectionOptions): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options });
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
  const show = ({ certPem: cert, keyPem: key }: TestIdentity) => shake({ cert, key });
  const say = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => socket.end(text));
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });

  const rows: readonly (readonly [reason: string, attempt: () => Promise<void>])[] = [
    ['no_certificate', () => shake({})],
    ['certificate_untrusted', async () => show(await other.issue(URIS))],
    ['certificate_revoked', () => show(revoked)],
    ['certificate_expired', async () => show(await ca.issue({ ...URIS, ...past }))],
    ['not_tls_1_3', () => shake({ maxVersion: 'TLSv1.2' })],
    ['not_tls_1_3', () => say('GET /canary HTTP/1.1\r\n\r\n')],
    ...(HAS_OPENSSL ? [['server_untrusted', () => refuseServer(port)] as const] : []),
    ['closed', () => say('')],
  ];
  const failures = async () => {
    const samples = parseSamples(await metrics.scrape());
    return samples.filter(({ name }) => name === 'introspectd_tls_handshake_failures_total');
  };
  const beganMs = performance.now();
  const countOf = async (reason: string) =>
    (await failures()).find(({ labels: { reason: label } }) => label === reason)?.value ?? 0;
  const sum = async () => (await failures()).reduce((total, { value }) => total + value, 0);
  for (const [index, [reason, attempt]] of rows.entries()) {
    const before = await countOf(reason);
    await attempt();
    const endMs = performance.now() + BOUND_MS;
    while ((await sum()) <= index) assert.ok(performance.now() < endMs, `${reason} is counted`);
    assert.deepEqual([await countOf(reason), await sum()], [before + 1, index + 1], reason);
  }

  if (!HAS_OPENSSL) t.diagnostic('NOT TESTED: a client that does not trust the server; openssl is not installed');

  await Promise.all(Array.from({ length: BURST }, () => shake({})));
  const records = () => server.records().filter(({ msg }) => msg === 'handshakes_failed');
  const told = () => records().flatMap((record) => Object.values(record).filter((value) => typeof value === 'number'));
  // All but the one that only came and went.
  await until(() => told().reduce((total, count) => total + count, 0) === rows.length - 1 + BURST);
  const seconds = (performance.now() - beganMs) / 1000;
  assert.ok(records().length <= seconds + 1, `${records().length} records in ${seconds} s`);
  assert.equal(records()[0]?.level, 'info');
  assert.doesNotMatch(server.raw(), /canary/);
});
