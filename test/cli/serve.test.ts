// How the daemon starts, does not start, and ends.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevWorkspace, type DevWorkspace } from '../../src/cli/dev-workspace.js';
import { runCli, spawnCli } from './support/run-cli.js';
import { temporaryFolder } from './support/temporary-folder.js';

const CALLERS = [{ name: 'orders', permissions: ['introspect'], issuers: ['https://i'], audiences: ['*'] }];
const MKFIFO = 'mkfifo';
const folder = temporaryFolder();
const logFile = join(folder, 'daemon.log');
let workspace: DevWorkspace;

before(async () => {
  workspace = await createDevWorkspace({ folder, callers: CALLERS, strangers: [], config: {} });
});

const at = (name: string) => join(folder, name);
const serve = (...args: readonly string[]) => runCli(['serve', '--config', workspace.configFile, ...args]);
const start = () => startDaemonProcess({ configFile: workspace.configFile, logFile });

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Undefined when nobody answers any more. */
async function readyz(target: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://${target}/readyz`);
    return `${response.status} ${(await response.text()).trim()}`;
  } catch {
    return undefined;
  }
}

/** What it says after "ready". */
async function nextState(target: string): Promise<string | undefined> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    const state = await readyz(target);
    if (state !== '200 ready' || performance.now() > endMs) return state;
  }
}

test('nothing is made while something is wrong, and all of it is told at once', async () => {
  writeFileSync(at('bad.yaml'), 'version: 2\ncallers: []\n');
  const run = await serve(
    '--policy-file',
    at('bad.yaml'),
    '--tls-cert-file',
    at('none.crt'),
    '--tls-key-file',
    at('ca.crt'),
  );
  assert.deepEqual([run.code, run.stdout], [2, '']);
  assert.match(run.stderr, /tls\.cert_file \(.*none\.crt\): no such file/);
  assert.match(run.stderr, /tls\.key_file \(.*ca\.crt\): is not an unencrypted PEM private key/);
  assert.match(run.stderr, /version \(line 1\): must be: version: 1/);
  assert.equal(existsSync(at('introspectd.keys')), false);
  assert.equal(existsSync(workspace.storeFolder), false);
});

test('it listens, is ready, and ends with 0 on SIGTERM within its time', async () => {
  const daemon = await start();
  assert.equal(await readyz(daemon.opsTarget), '200 ready');
  const beganMs = performance.now();
  const exited = daemon.stop('SIGTERM');
  // It says so for a moment before it refuses, so that load balancers see it.
  assert.equal(await nextState(daemon.opsTarget), '503 draining');
  assert.equal(await exited, 0);
  assert.ok(performance.now() - beganMs < 20_000);
  const lines = readFileSync(logFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['listening', 'stopping', 'stopped'],
  );
});

test('a second signal ends it at once, with 1', async () => {
  const daemon = await start();
  const exited = daemon.stop('SIGINT');
  assert.equal(await nextState(daemon.opsTarget), '503 draining');
  // One Ctrl-C may arrive twice within moments; that is not a second one.
  const again = setInterval(() => process.kill(daemon.pid, 'SIGINT'), 50);
  assert.equal(await exited.finally(() => clearInterval(again)), 1);
});

test('keys: none beside a store is a fault, others are another, and neither is repaired', async (t) => {
  renameSync(at('introspectd.keys'), at('kept.keys'));
  after(() => rmSync(at('kept.keys'), { force: true }));
  await t.test('none', async () => {
    const { code, stderr } = await serve();
    assert.equal(code, 2);
    assert.match(stderr, /keys_file \(.*introspectd\.keys\): no such file, but there is a store in/);
    assert.equal(existsSync(at('introspectd.keys')), false);
  });
  await t.test('others', async () => {
    const key = Buffer.alloc(32, 1).toString('base64');
    writeFileSync(at('other.keys'), `digest:${key}\ntag:${key}\n`, { mode: 0o600 });
    const { code, stderr } = await serve('--keys-file', at('other.keys'));
    assert.equal(code, 1);
    assert.match(stderr, /the store in .*data cannot be used:\n.*key/);
    assert.ok(!stderr.includes(key));
  });
  renameSync(at('kept.keys'), at('introspectd.keys'));
});

test('what keeps it from starting is told in a few lines, with what to do', async (t) => {
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  after(() => busy.close());
  const taken = `127.0.0.1:${(busy.address() as AddressInfo).port}`;
  mkdirSync(at('damaged'));
  writeFileSync(at('damaged/data.mdb'), 'x'.repeat(10_000));
  const rows: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['a port that is taken', ['--listen', taken], 1, /cannot listen on .* \(EADDRINUSE\)\n.* for listen\./],
    ['an ops port that is taken', ['--ops-listen', taken], 1, /\(EADDRINUSE\)\n.* for ops_listen\./],
    ['an address of another machine', ['--listen', '192.0.2.1:0'], 1, /\(EADDRNOTAVAIL\)\nGive an address/],
    ['a store folder that is a file', ['--store-path', at('ca.crt')], 1, /a file: name a folder/],
    ['a store that is none', ['--store-path', at('damaged')], 1, /data\.mdb .* is not an LMDB file/],
    ['a policy that is a folder', ['--policy-file', folder], 2, /policy_file \(.*\): is a folder/],
    ['the key of another certificate', ['--tls-key-file', at('orders.key')], 2, /tls\.key_file .* does not belong/],
  ];
  for (const [name, args, expected, said] of rows) {
    await t.test(name, async () => {
      const { code, stdout, stderr } = await serve(...args);
      assert.deepEqual([code, stdout], [expected, ''], stderr);
      assert.match(stderr, said);
      assert.ok(stderr.trim().split('\n').length <= 3, stderr);
    });
  }
});

test('a log that nobody reads holds back neither the daemon nor its end', async (t) => {
  const fifo = at('log.fifo');
  if (spawnSync(MKFIFO, [fifo]).status !== 0) return t.skip('mkfifo is not installed');
  const unread = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  after(() => closeSync(unread));
  assert.throws(() => {
    for (;;) writeSync(unread, Buffer.alloc(4096));
  }, /EAGAIN/);
  const opsTarget = `127.0.0.1:${await findFreePort()}`;
  const args = ['serve', '--config', workspace.configFile, '--ops-listen', opsTarget];
  const child = spawnCli(args, { stdout: unread });
  const exited = once(child, 'exit');
  for (let tries = 0; (await readyz(opsTarget)) !== '200 ready'; tries++) {
    assert.ok(tries < 400 && child.exitCode === null, 'it becomes ready');
    await sleep(25);
  }
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

test('keys that every user may read are a warning', async () => {
  writeFileSync(at('open.key'), readFileSync(at('server.key')), { mode: 0o644 });
  const before = readFileSync(logFile).length;
  const { configFile } = workspace;
  const daemon = await startDaemonProcess({ configFile, logFile, args: ['--tls-key-file', at('open.key')] });
  await daemon.stop('SIGKILL');
  const text = readFileSync(logFile).subarray(before).toString();
  assert.match(text, /"level":"warn".*open\.key is open to every user; chmod 600 it/);
});
