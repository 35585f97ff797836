// The client commands against a running daemon: what they print, where, and how they end.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DaemonProcess, startDaemonProcess } from '../../src/cli/daemon-process.js';
import { createDevCa, issueLeaf, validForDays } from '../../src/cli/dev-certificates.js';
import { createDevWorkspace } from '../../src/cli/dev-workspace.js';
import { formatNewKeys } from '../../src/core/key-ring.js';
import { type CliRun, runCli } from './support/run-cli.js';
import { temporaryFolder } from './support/temporary-folder.js';

const ISSUER = 'https://login.example';
const ORDERS = 'https://orders.example';
const CALLERS = [
  { name: 'login', permissions: ['register'], revoke: ['token'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'orders', permissions: ['introspect', 'batch'], issuers: [ISSUER], audiences: [ORDERS] },
];
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const CLAIMS = {
  iss: ISSUER,
  aud: [ORDERS],
  sub: 'alice',
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 600,
  token_use: 'access_token',
  cnf: { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' },
};

const folder = temporaryFolder();
let daemon: DaemonProcess;

before(async () => {
  const request = { folder, callers: CALLERS, strangers: ['stranger'], config: {} };
  const { configFile } = await createDevWorkspace(request);
  daemon = await startDaemonProcess({ configFile, logFile: join(folder, 'daemon.log') });
});
after(() => daemon.stop('SIGKILL'));

function run(command: string, caller: string, input: string, ...args: readonly string[]): Promise<CliRun> {
  const connection = ['--as', join(folder, caller), '--target', daemon.target];
  return runCli([command, ...connection, ...args], { input });
}

async function register(...lines: readonly object[]): Promise<void> {
  const { code, stderr } = await run('register', 'login', lines.map((line) => JSON.stringify(line)).join('\n'));
  assert.equal(code, 0, stderr);
}

const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('register, introspect, revoke: RFC 7662 in JSON', async () => {
  await register({ token: 'cli-token-1', claims: CLAIMS });
  const active = await run('introspect', 'orders', 'cli-token-1\n');
  assert.deepEqual([active.code, active.stderr], [0, '']);
  assert.deepEqual(JSON.parse(active.stdout), { active: true, ...CLAIMS });

  const revoked = await run('revoke', 'login', 'cli-token-1', '--reason', 'test');
  assert.deepEqual([revoked.code, revoked.stderr], [0, '']);
  assert.equal(JSON.parse(revoked.stdout).revoked, true);

  const inactive = await run('introspect', 'orders', 'cli-token-1');
  assert.deepEqual(inactive, { code: 0, stdout: '{"active":false}\n', stderr: '' });
});

test('one result line for every input line, in order; a bad one does not hold back the others', async () => {
  const input = [
    JSON.stringify({ token: 'cli-many-1', claims: CLAIMS }),
    'canary: no JSON',
    '',
    JSON.stringify({ token: 'cli-many-2', claims: { ...CLAIMS, iss: 'https://canary.example' } }),
    JSON.stringify({ token: 'cli-many-3', claims: { ...CLAIMS, exp: undefined } }),
    JSON.stringify({ token: 'c'.repeat(5000), claims: CLAIMS }),
    JSON.stringify({ token_sha256: 'ab'.repeat(32), claims: CLAIMS }),
    JSON.stringify({ token: 'cli-many-1', claims: { ...CLAIMS, sub: 'bob' } }),
  ].join('\n');
  const { code, stdout, stderr } = await run('register', 'login', input, '--batch', '2');
  assert.equal(code, 1);
  assert.deepEqual(
    linesOf(stdout).map(({ line, status, reason }) => [line, status, reason]),
    [
      [1, 'OK', undefined],
      [2, 'INVALID_ARGUMENT', undefined],
      [4, 'PERMISSION_DENIED', 'ISSUER_NOT_ALLOWED'],
      [5, 'INVALID_ARGUMENT', 'CLAIMS_INVALID'],
      [6, 'INVALID_ARGUMENT', 'TOKEN_TOO_LONG'],
      [7, 'OK', undefined],
      [8, 'ALREADY_EXISTS', 'TOKEN_EXISTS'],
    ],
  );
  assert.equal(stderr, '2 registered, 5 failed\n');
  assert.doesNotMatch(stdout, /canary|cli-many/);
});

test('many lines are many batches', async () => {
  const lines = Array.from({ length: 1201 }, (_, i) => JSON.stringify({ token: `cli-bulk-${i}`, claims: CLAIMS }));
  const { code, stdout, stderr } = await run('register', 'login', lines.join('\n'));
  assert.deepEqual([code, stderr], [0, '1201 registered, 0 failed\n']);
  assert.equal(linesOf(stdout).at(-1).line, 1201);
});

test('several tokens are answered in order; one that is none fails alone', async () => {
  await register({ token: 'cli-batch-1', claims: CLAIMS });
  const input = 'cli-batch-1\nunknown\nno token\n';
  const { code, stdout } = await run('introspect', 'orders', input);
  assert.equal(code, 1);
  const [first, second, third] = linesOf(stdout);
  assert.equal(first.active, true);
  assert.deepEqual(second, { active: false });
  assert.equal(third.error.reason, 'TOKEN_MALFORMED');

  const json = await run('introspect', 'orders', input, '--output', 'json');
  assert.deepEqual(JSON.parse(json.stdout), [first, second, third]);
  const table = await run('introspect', 'orders', 'cli-batch-1\nunknown\n', '--output', 'table');
  assert.equal(table.code, 0);
  assert.match(table.stdout, /^active +iss .*\ntrue +https:\/\/login\.example .*\nfalse\n$/);
});

test('an audience narrows the answer', async () => {
  await register({ token: 'cli-aud-1', claims: CLAIMS });
  const asked = async (audience: string) =>
    (await run('introspect', 'orders', 'cli-aud-1', '--audience', audience)).stdout;
  assert.equal(JSON.parse(await asked(ORDERS)).active, true);
  assert.equal(await asked('https://other.example'), '{"active":false}\n');
});

test('a table cannot play with the terminal', async () => {
  await register({ token: 'cli-table-1', claims: { ...CLAIMS, sub: '\u001b[2Jalice\u202e' } });
  const { stdout } = await run('introspect', 'orders', 'cli-table-1', '--output', 'table');
  assert.match(stdout, /\\u\{1b\}\[2Jalice\\u\{202e\}/);
});

test('health', async () => {
  assert.deepEqual(await run('health', 'orders', ''), { code: 0, stdout: 'SERVING\n', stderr: '' });
  const service = 'introspectd.v1.IntrospectionService';
  assert.equal((await run('health', 'orders', '', '--service', service)).stdout, 'SERVING\n');
  const unknown = await run('health', 'orders', '', '--service', 'no.Such');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /NOT_FOUND/);
});

test('store show tells of the store under a running daemon', async () => {
  const { code, stdout } = await runCli(['store', 'show', '--config', join(folder, 'introspectd.yaml')]);
  assert.equal(code, 0);
  const { max_token_ttl: ttl, lease, partitions, store_id: id } = JSON.parse(stdout);
  assert.deepEqual([ttl, lease, partitions], ['30d', '2s', 1]);
  assert.match(id, /^[0-9a-f-]{36}$/);
  const { digest_keys: keys, changing } = JSON.parse(stdout);
  assert.equal(changing, false);
  assert.deepEqual([keys.length, keys[0].use, keys[0].in_keys_file], [1, 'written with', 'first, writes']);
  const lines = readFileSync(join(folder, 'introspectd.keys'), 'utf8').trim().split('\n');
  for (const line of lines) assert.ok(!stdout.includes(line.replace(/^\w+:/, '')), 'a key is not shown');
});

test('store set changes the store under a running daemon, which obeys from its next call on', async () => {
  const config = ['--config', join(folder, 'introspectd.yaml')];
  const long = { token: 'cli-long-1', claims: { ...CLAIMS, exp: NOW_SECONDS + 40 * 86_400 } };
  const refused = await run('register', 'login', JSON.stringify(long));
  assert.match(refused.stdout, /TTL_TOO_LONG/);
  const raised = await runCli(['store', 'set', 'max_token_ttl=90d', ...config]);
  assert.deepEqual([raised.code, JSON.parse(raised.stdout).max_token_ttl], [0, '90d']);
  assert.match(raised.stderr, /^extending what is revoked/);
  await register(long);
  const lowered = await runCli(['store', 'set', 'max_token_ttl=1h', ...config, '--output', 'ndjson']);
  assert.deepEqual([lowered.code, JSON.parse(lowered.stdout).max_token_ttl, lowered.stderr], [0, '1h', '']);
  assert.equal(JSON.parse((await run('introspect', 'orders', 'cli-long-1')).stdout).active, true);
  const other = await run('register', 'login', JSON.stringify({ ...long, token: 'cli-long-2' }));
  assert.match(other.stdout, /TTL_TOO_LONG/);
  const lease = await runCli(['store', 'set', 'lease=5s', ...config]);
  assert.deepEqual([lease.code, JSON.parse(lease.stdout).lease], [0, '5s']);
});

test('store show and store set make no store, and set none without its keys', async () => {
  const config = ['--config', join(folder, 'introspectd.yaml')];
  for (const command of [['show'], ['set', 'lease=5s']]) {
    const none = await runCli(['store', ...command, ...config, '--store-path', join(folder, 'nowhere')]);
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(none.stderr, /there is no store in/);
  }
  assert.ok(!existsSync(join(folder, 'nowhere')));
  const lost = await runCli(['store', 'set', 'lease=6s', ...config, '--keys-file', join(folder, 'lost.keys')]);
  assert.deepEqual([lost.code, lost.stdout], [2, '']);
  const keys = join(folder, 'other.keys');
  writeFileSync(keys, formatNewKeys(randomBytes), { mode: 0o600 });
  const other = await runCli(['store', 'set', 'lease=6s', ...config, '--keys-file', keys]);
  assert.deepEqual([other.code, other.stdout], [1, '']);
  assert.match(other.stderr, /another tag key/);
  const shown = await runCli(['store', 'show', ...config, '--keys-file', keys]);
  const { lease, tag_key: tagKey } = JSON.parse(shown.stdout);
  assert.deepEqual([lease, tagKey.in_keys_file], ['5s', false]);
});

test('what fails says what to do next', async (t) => {
  const validity = validForDays(1, Date.now());
  const past = { notBefore: new Date(Date.now() - 2000), notAfter: new Date(Date.now() - 1000) };
  const other = await createDevCa('other', validity);
  const uris = ['spiffe://demo/orders'];
  const foreign = await issueLeaf(other, { name: 'foreign', use: 'client', uris, validity });
  const old = await issueLeaf(other, { name: 'old', use: 'client', uris, validity: past });
  for (const [name, pem] of Object.entries({
    'foreign.crt': foreign.certPem,
    'foreign.key': foreign.keyPem,
    'old.crt': old.certPem,
    'old.key': old.keyPem,
    'other-ca.crt': other.certPem,
  })) {
    writeFileSync(join(folder, name), pem);
  }
  const rows: readonly (readonly [string, string, string, readonly string[], RegExp])[] = [
    ['nobody listens', 'introspect', 'orders', ['--target', 'localhost:1'], /Is the daemon running at localhost:1\?/],
    [
      'nobody listens, health',
      'health',
      'orders',
      ['--target', 'localhost:1'],
      /Is the daemon running at localhost:1\?/,
    ],
    [
      'not in the policy',
      'introspect',
      'stranger',
      [],
      /CALLER_UNKNOWN[\s\S]*spiffe:\/\/demo\/stranger[\s\S]*policy file/,
    ],
    ['without the permission', 'introspect', 'login', [], /PERMISSION_MISSING[\s\S]*"introspect"[\s\S]*policy file/],
    ['may not revoke', 'revoke', 'orders', [], /PERMISSION_MISSING[\s\S]*policy file/],
    ['a certificate of another CA', 'introspect', 'foreign', [], /UNAVAILABLE[\s\S]*foreign\.crt/],
    ['an expired certificate', 'introspect', 'old', [], /UNAVAILABLE[\s\S]*old\.crt[\s\S]*valid until/],
    ['a server of another CA', 'introspect', 'orders', ['--ca-file', join(folder, 'other-ca.crt')], /--ca-file/],
    ['another name', 'introspect', 'orders', ['--server-name', 'elsewhere'], /another name[\s\S]*--server-name/],
  ];
  for (const [name, command, caller, args, said] of rows) {
    await t.test(name, async () => {
      const { code, stdout, stderr } = await run(command, caller, command === 'health' ? '' : 'cli-canary', ...args);
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /cli-canary/);
    });
  }
});

test('a registration that nobody hears leaves every line with that outcome', async () => {
  const input = `${JSON.stringify({ token: 'a', claims: CLAIMS })}\nbad\n`;
  const { code, stdout, stderr } = await run('register', 'login', input, '--target', 'localhost:1');
  assert.equal(code, 1);
  assert.deepEqual(
    linesOf(stdout).map(({ line, status }) => [line, status]),
    [
      [1, 'UNAVAILABLE'],
      [2, 'INVALID_ARGUMENT'],
    ],
  );
  assert.match(stderr, /Is the daemon running/);
});

test('health --wait gives a daemon time to start', async () => {
  const other = temporaryFolder();
  const { configFile } = await createDevWorkspace({ folder: other, callers: CALLERS, strangers: [], config: {} });
  const first = await startDaemonProcess({ configFile, logFile: join(other, 'daemon.log') });
  await first.stop('SIGKILL');
  const waiting = runCli(['health', '--as', join(other, 'orders'), '--target', first.target, '--wait', '15s']);
  const again = await startDaemonProcess({
    configFile,
    logFile: join(other, 'daemon.log'),
    args: ['--listen', first.target],
  });
  const { code, stdout } = await waiting;
  await again.stop('SIGKILL');
  assert.deepEqual([code, stdout], [0, 'SERVING\n']);
});
