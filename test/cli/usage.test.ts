// What a user sees who asks for help, or asks wrongly: exit code 2, the reason, and never what may be a token.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type CliRun, runCli } from './support/run-cli.js';
import { temporaryFolder } from './support/temporary-folder.js';

const COMMANDS = [
  [],
  ['serve'],
  ['demo'],
  ['introspect'],
  ['revoke'],
  ['watch'],
  ['register'],
  ['health'],
  ['config'],
  ['config', 'print'],
  ['config', 'schema'],
  ['certs'],
  ['certs', 'dev'],
  ['certs', 'ca'],
  ['certs', 'leaf'],
  ['certs', 'crl'],
  ['store'],
  ['store', 'show'],
  ['store', 'set'],
] as const;

test('every command explains itself, on stdout, in lines that fit', { concurrency: 2 }, async (t) => {
  const subtests = COMMANDS.map((command) =>
    t.test(['introspectd', ...command].join(' '), async () => {
      const { code, stdout, stderr } = await runCli([...command, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^Usage: introspectd/);
      const [, description = ''] = stdout.split('\n\n');
      assert.match(description, /\.$/, 'the description is a sentence');
      assert.doesNotMatch(stdout, /undefined|\[nothing/);
      const long = stdout.split('\n').filter((line) => line.length > 105);
      assert.deepEqual(long, []);
    }),
  );
  await Promise.all(subtests);
});

test('the main help lists every command and ends with examples', async () => {
  const { stdout } = await runCli(['--help']);
  for (const name of [
    'serve',
    'demo',
    'introspect',
    'revoke',
    'watch',
    'register',
    'health',
    'config',
    'certs',
    'store',
  ]) {
    assert.match(stdout, new RegExp(`^  ${name} +[A-Z]`, 'm'));
  }
  assert.match(stdout, /Examples:\n {2}introspectd certs dev/);
});

test('--version is that of the package', async () => {
  const { code, stdout } = await runCli(['--version']);
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('an old Node is refused in a sentence', async () => {
  for (const [version, code] of [
    ['18.20.8', 1],
    ['20.18.3', 1],
    ['20.19.0', 0],
    ['24.1.0', 0],
  ] as const) {
    const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(pretend)}` };
    const run = await runCli(['--version'], { env });
    assert.equal(run.code, code, run.stderr);
    if (code === 1) assert.equal(run.stderr, `introspectd needs Node.js 20.19 or newer; this is ${version}.\n`);
  }
});

const TOKEN = 'tGzv3JOkF0XG5Qx2TlKWIA';
const CLIENT = ['--ca-file', 'ca.crt', '--cert-file', 'a.crt', '--key-file', 'a.key'];

const WRONG: readonly (readonly [args: readonly string[], said: RegExp, input?: string])[] = [
  [[], /Usage: introspectd/],
  [['config'], /Usage: introspectd config/],
  [['sevre'], /unknown command\n\(Did you mean serve\?\)/],
  [[TOKEN], /unknown command/],
  [['introspect', TOKEN], /tokens are not taken from the command line/],
  [['introspect', ...CLIENT, TOKEN], /tokens are not taken from the command line/],
  [['introspect', '--token', TOKEN], /tokens are not taken from the command line/],
  [['introspect', `--token=${TOKEN}`], /tokens are not taken from the command line/],
  [['introspect', `--tokne=${TOKEN}`], /unknown option '--tokne'/],
  [['revoke', TOKEN], /tokens are not taken from the command line/],
  [['register', TOKEN], /tokens are not taken from the command line/],
  [['health', TOKEN], /too many arguments/],
  [['serve', TOKEN], /too many arguments/],
  [['introspect', '--output', TOKEN], /Allowed choices are json, ndjson, table/],
  [['introspect', '--timeout', TOKEN], /Expected a duration/],
  [['introspect', '--timeout', '0s'], /Expected a duration/],
  [['introspect', '--file'], /argument missing/],
  [['introspect'], /missing: --ca-file, --cert-file, --key-file/, TOKEN],
  [['introspect', '--as', 'x', '--target', 'a/b'], /--target is "host:port"/, TOKEN],
  [['introspect', '--as', 'x'], /--ca-file cannot be read: ca\.crt/, TOKEN],
  [['introspect', ...CLIENT], /the input is empty/, '\n \n'],
  [['introspect', ...CLIENT], /more than 1000 tokens/, `${TOKEN}\n`.repeat(1001)],
  [['introspect', ...CLIENT], /line 2 is no token/, `a\n${TOKEN.repeat(4000)}\n`],
  [['introspect', ...CLIENT, '--file', 'none'], /--file none cannot be read \(ENOENT\)/],
  [['revoke', ...CLIENT], /takes one token, nothing was revoked/, `${TOKEN}\n${TOKEN}\n`],
  [['revoke', ...CLIENT], /the input is empty/],
  [['register', '--batch', '0'], /Expected a whole number/],
  [['certs', 'ca'], /required option '--out <folder>' not specified/],
  [['serve', '--set', 'limits.inflight'], /--set expects NAME=VALUE/],
  [['store', 'set'], /missing required argument/],
  [['store', 'set', TOKEN], /expects max_token_ttl=DURATION or lease=DURATION/],
  [['store', 'set', `lease=${TOKEN}`], /lease must be a duration from 100ms to 5m/],
  [['store', 'set', 'lease=0s'], /lease must be a duration from 100ms to 5m/],
  [['store', 'set', 'max_token_ttl=4000d'], /max_token_ttl must be a duration from 1s to 3650d/],
  [['serve', '--config', 'none.yaml'], /--config none\.yaml: no such file/],
];

test('a wrong question ends with 2, says why, and repeats no token', { concurrency: 2 }, async (t) => {
  const cwd = temporaryFolder();
  const subtests = WRONG.map(([args, said, input = '']) =>
    t.test(JSON.stringify(args), async () => {
      const { code, stdout, stderr } = await runCli(args, { cwd, input });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, said);
      assert.ok(!stderr.includes(TOKEN), 'the token is not repeated');
    }),
  );
  await Promise.all(subtests);
});

test('a configuration with many faults is told whole, before anything is opened', async (t) => {
  const cwd = temporaryFolder();
  const text = 'listen: nowhere\ntls: { cert_file: a, key_file: b, client_ca_file: c }\nlimits: { inflght: 1 }\n';
  let run: CliRun;
  before(async () => {
    writeFileSync(join(cwd, 'introspectd.yaml'), text);
    const env = { INTROSPECTD_LIMITS_INFLIGHT: 'x', INTROSPECTD_LISSTEN: 'x' };
    run = await runCli(['serve', '--config', 'introspectd.yaml', '--set', 'log.level=loud'], { cwd, env });
  });
  await t.test('exit code 2, nothing on stdout', () => assert.deepEqual([run.code, run.stdout], [2, '']));
  for (const part of [
    '5 faults in the configuration',
    'listen (introspectd.yaml:1): must be HOST:PORT',
    'limits.inflght (introspectd.yaml:3): unknown key; did you mean inflight?',
    'limits.inflight (env INTROSPECTD_LIMITS_INFLIGHT): must be a whole number',
    'log.level (flag log.level): must be one of',
    'INTROSPECTD_LISSTEN: unknown environment variable; did you mean INTROSPECTD_LISTEN?',
  ]) {
    await t.test(part, () => assert.ok(run.stderr.includes(part), run.stderr));
  }
});

test('config print and config schema write what can be read again', async () => {
  const env = { INTROSPECTD_TLS_CERT_FILE: 'a', INTROSPECTD_TLS_KEY_FILE: 'b', INTROSPECTD_TLS_CLIENT_CA_FILE: 'c' };
  const cwd = temporaryFolder();
  const printed = await runCli(['config', 'print', '--listen', '127.0.0.1:7'], { cwd, env });
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /^listen: 127\.0\.0\.1:7 # flag listen$/m);
  writeFileSync(join(cwd, 'printed.yaml'), printed.stdout);
  const again = await runCli(['config', 'print', '--config', 'printed.yaml'], { cwd });
  assert.match(again.stdout, /^listen: 127\.0\.0\.1:7 # printed\.yaml:1$/m);
  const schema = await runCli(['config', 'schema']);
  assert.equal(JSON.parse(schema.stdout).properties.limits.properties.inflight.default, 2000);
});
