// introspectd watch against a running daemon: a line for each revocation, until it is interrupted.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { runCli } from './support/run-cli.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const CALLERS = [
  { name: 'login', permissions: ['register'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] },
  { name: 'security', permissions: [], revoke: ['token'], issuers: [ISSUER], audiences: ['*'] },
];

let daemon: TestDaemon;
const children: ChildProcess[] = [];
before(async () => {
  daemon = await startTestDaemon({ callers: CALLERS });
  await daemon.register([{ token: 'watched-token-1' }, { token: 'watched-token-2' }]);
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await daemon.stop();
});

function connection(caller: string, target = daemon.process.target): string[] {
  const { caFile, certFile, keyFile } = daemon.workspace.tls(caller);
  return ['--target', target, '--ca-file', caFile, '--cert-file', certFile, '--key-file', keyFile];
}

test('tells revocations as lines of JSON, goes on after one, and ends with 0 when interrupted', async () => {
  const first = start();
  const { revision, ...started } = await first.next();
  assert.deepEqual(started, { kind: 'started' });
  await daemon.client('security').revoke('watched-token-1');
  const revoked = await first.next();
  assert.equal(revoked['kind'], 'revoked');
  assert.match(String(revoked['tag']), /^[\w-]{22}$/);
  assert.equal(await first.interrupt(), 0);

  const again = start('--after', String(revision));
  assert.equal((await again.next())['kind'], 'started');
  assert.deepEqual(await again.next(), revoked);
  assert.equal(await again.interrupt(), 0);
});

test('says so when there is no daemon, and when it may not', async () => {
  const nobody = await runCli(['watch', ...connection('orders', 'localhost:1'), '--timeout', '300ms']);
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /no connection to localhost:1/);
  const denied = await runCli(['watch', ...connection('login')]);
  assert.deepEqual([denied.code, denied.stdout], [1, '']);
  assert.match(denied.stderr, /PERMISSION_DENIED \(PERMISSION_MISSING\)/);
});

function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'watch', ...connection('orders'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value ?? '{}'),
    interrupt: async () => {
      const exited = once(child, 'exit', { signal: AbortSignal.timeout(10_000) });
      child.kill('SIGINT');
      const [code] = await exited;
      return code;
    },
  };
}
