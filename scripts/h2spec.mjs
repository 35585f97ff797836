// scripts/h2spec.sh, continued: h2spec knows no client certificates, so it speaks in the clear to a relay that has one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { startDaemonProcess } from '../dist/src/cli/daemon-process.js';
import { createDevWorkspace } from '../dist/src/cli/dev-workspace.js';

const [h2spec] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'introspectd-h2spec-'));
const callers = [{ name: 'orders', permissions: ['introspect'], issuers: ['https://i'], audiences: ['*'] }];
const { configFile, tls } = await createDevWorkspace({ folder, callers, strangers: [], config: {} });
const files = tls('orders');
const read = (path) => readFileSync(path);

const daemon = await startDaemonProcess({ configFile, logFile: join(folder, 'daemon.log') });
// With our limit of streams: without one h2spec leaves out the case that exceeds it.
const plain = new Server({ 'grpc.max_concurrent_streams': 250 });
const plainTls = ServerCredentials.createSsl(
  read(files.caFile),
  [{ private_key: read(join(folder, 'server.key')), cert_chain: read(join(folder, 'server.crt')) }],
  true,
);
const plainPort = await new Promise((resolve, reject) => {
  plain.bindAsync('127.0.0.1:0', plainTls, (error, port) => (error ? reject(error) : resolve(port)));
});

const ours = await findFailures(Number(daemon.target.split(':').at(-1)));
const theirs = await findFailures(plainPort);
plain.forceShutdown();
await daemon.stop('SIGTERM');
rmSync(folder, { recursive: true, force: true });

const more = ours.failures.filter((name) => !theirs.failures.includes(name));
const fewer = theirs.failures.filter((name) => !ours.failures.includes(name));
console.log(`introspectd:   ${ours.summary}\nplain grpc-js: ${theirs.summary}`);
for (const name of ours.failures) console.log(`${more.includes(name) ? 'introspectd alone' : 'both'}: ${name}`);
for (const name of fewer) console.log(`grpc-js alone: ${name}`);
process.exit(more.length > 0 ? 1 : 0);

async function findFailures(port) {
  const relay = createServer((socket) => {
    const options = { ca: read(files.caFile), cert: read(files.certFile), key: read(files.keyFile) };
    const upstream = connect({ ...options, host: '127.0.0.1', port, servername: 'localhost', ALPNProtocols: ['h2'] });
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const report = join(folder, `${port}.xml`);
  const args = ['-h', '127.0.0.1', '-p', String(relay.address().port), '-o', '2', '-j', report];
  const run = spawn(h2spec, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  run.stdout.on('data', (bytes) => {
    output += bytes;
  });
  await once(run, 'close');
  relay.close();
  const failures = [];
  for (const [, attributes, body] of readFileSync(report, 'utf8').matchAll(
    /<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g,
  )) {
    if (!/<failure|<error/.test(body)) continue;
    const value = (name) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    failures.push(`${value('package')}: ${value('classname')}`);
  }
  return { failures, summary: /\d+ tests?, .*/.exec(output)?.[0] ?? 'no result' };
}
