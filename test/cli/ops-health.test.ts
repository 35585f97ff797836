// introspectd health --ops-target: what a container's health check runs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { runCli } from './support/run-cli.js';

const ARGS = ['--timeout', '500ms'];

async function answering(status: number | undefined): Promise<string> {
  const server: Server = createServer((request, response) => {
    if (status !== undefined) response.writeHead(request.url === '/readyz' ? status : 404).end('x');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ROWS: readonly (readonly [string, number | undefined, number, string, RegExp])[] = [
  ['ready', 200, 0, 'SERVING\n', /^$/],
  ['not ready', 503, 1, 'NOT_SERVING\n', /its log says why/],
  ['another server', 404, 1, '', /is no ops port of introspectd/],
  ['no answer', undefined, 1, '', /nobody answers at 127\.0\.0\.1:\d+\n.*ops_listen/],
];

for (const [name, status, code, stdout, stderr] of ROWS) {
  test(name, async () => {
    const run = await runCli(['health', '--ops-target', await answering(status), ...ARGS]);
    assert.deepEqual([run.code, run.stdout], [code, stdout]);
    assert.match(run.stderr, stderr);
  });
}

test('nobody listens', async () => {
  const run = await runCli(['health', '--ops-target', '127.0.0.1:1', ...ARGS]);
  assert.deepEqual([run.code, run.stdout], [1, '']);
  assert.match(run.stderr, /nobody answers/);
});

test('it cannot be mixed with what belongs to the gRPC port, and wants an address', async () => {
  const mixed = await runCli(['health', '--ops-target', '127.0.0.1:1', '--as', 'certs/orders']);
  const wrong = await runCli(['health', '--ops-target', 'nowhere']);
  assert.deepEqual([mixed.code, wrong.code], [2, 2]);
  assert.match(mixed.stderr, /cannot be used with/);
  assert.match(wrong.stderr, /HOST:PORT/);
});
