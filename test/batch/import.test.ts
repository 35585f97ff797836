// introspectd import against a running daemon: every line is registered, or stands among the rejects.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { runCli } from '../cli/support/run-cli.js';
import { type JobDaemon, readAnswers, startJobDaemon } from './job-daemon.js';
import { type KillPoint, runUntilKilled } from './killed-run.js';

const COUNT = 1_200;
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const CLAIMS = { iss: ISSUER, aud: [AUDIENCE], iat: NOW_SECONDS, exp: NOW_SECONDS + 3_600, token_use: 'access_token' };

let daemon: JobDaemon;
before(async () => {
  daemon = await startJobDaemon(0);
});
after(() => daemon.stop());

const toLine = (token: string, claims: object = CLAIMS) => JSON.stringify({ token, claims });
const tokensOf = (name: string, count = COUNT) => Array.from({ length: count }, (_, index) => `${name}-${index}`);
const importFile = (file: string, ...args: readonly string[]) =>
  daemon.run('import', 'login', ['--file', file, ...args]);

async function countActive(tokens: readonly string[]): Promise<number> {
  const file = daemon.write('check.txt', tokens.join('\n'));
  return JSON.parse((await daemon.run('batch', 'auditor', ['--file', file, '--output', 'summary'])).stdout).active;
}

test('a dry run checks and registers nothing; then it is meant; the same again changes nothing', async () => {
  const tokens = tokensOf('import');
  const file = daemon.write('tokens.ndjson.gz', gzipSync(tokens.map((token) => toLine(token)).join('\n')));
  const dry = await importFile(file, '--dry-run');
  assert.deepEqual([dry.code, dry.stderr], [0, `${COUNT} would be registered, 0 rejected\n`]);
  assert.equal(await countActive(tokens), 0);
  for (let time = 0; time < 2; time++) {
    const { code, stdout } = await importFile(file);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { lines: COUNT, registered: COUNT, rejected: 0 });
    assert.equal(await countActive(tokens), COUNT);
  }
});

test('bad rows are rejected by line and reason, and the others registered', async () => {
  const lines = [
    toLine('canary-good-1'),
    'canary no JSON',
    '',
    toLine('canary-foreign', { ...CLAIMS, iss: 'https://canary.example' }),
    toLine('canary-late', { ...CLAIMS, exp: NOW_SECONDS + 10_000_000_000 }),
    toLine('canary-good-1', { ...CLAIMS, sub: 'other' }),
    `{"token":"canary","claims":${JSON.stringify(CLAIMS)},"more":"${'x'.repeat(100_000)}"}`,
    toLine('canary-good-2'),
  ];
  const rejects = daemon.path('bad.rejects');
  const { code, stdout, stderr } = await importFile(
    daemon.write('bad.ndjson', lines.join('\r\n')),
    '--rejects',
    rejects,
  );
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(stdout), { lines: 7, registered: 2, rejected: 5 });
  const text = readFileSync(rejects, 'utf8');
  assert.deepEqual(
    readAnswers(text).map(({ line, reason }) => [line, reason]),
    [
      [2, 'ENTRY_MALFORMED'],
      [4, 'ISSUER_NOT_ALLOWED'],
      [5, 'TTL_TOO_LONG'],
      [6, 'TOKEN_EXISTS'],
      [7, 'LINE_TOO_LONG'],
    ],
  );
  assert.doesNotMatch(text + stderr + readFileSync(`${rejects}.checkpoint`, 'utf8'), /canary/);
  assert.equal(await countActive(['canary-good-1', 'canary-good-2']), 2);
});

test('from stdin, without a checkpoint', async () => {
  const args = daemon.argsFor('import', 'login', []);
  const { code, stderr } = await runCli(args, { input: toLine('import-stdin') });
  assert.deepEqual([code, stderr], [0, '1 registered, 0 rejected\n']);
  assert.equal((await daemon.run('import', 'login', ['--resume'])).code, 2);
  assert.equal((await daemon.run('import', 'auditor', ['--file', daemon.write('x', toLine('x'))])).code, 1);
});

const RENAME: KillPoint = {
  name: 'the rename',
  file: '/src/cli/checkpoint.js',
  find: 'await rename(draft, path);',
  when: 'before',
  times: [1, 3],
};

for (const time of RENAME.times) {
  test(`kill -9 before the rename, time ${time}: --resume registers the rest, and the rejects stand there once`, async () => {
    const tokens = tokensOf(`killed-${time}`, 500);
    const lines = tokens.map((token, index) => (index % 100 === 7 ? 'no JSON' : toLine(token)));
    const file = daemon.write(`killed-${time}.ndjson`, lines.join('\n'));
    const rejects = daemon.path(`killed-${time}.rejects`);
    const args = ['--file', file, '--rejects', rejects, '--chunk', '50', '--checkpoint', '1ms'];
    await runUntilKilled(daemon.argsFor('import', 'login', args), RENAME, time, `${rejects}.marker`);
    assert.ok(existsSync(rejects));
    const { code, stdout } = await daemon.run('import', 'login', [...args, '--resume']);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout), { lines: 500, registered: 495, rejected: 5 });
    const rejectedLines = readAnswers(readFileSync(rejects, 'utf8')).map(({ line }) => line);
    assert.deepEqual(rejectedLines, [8, 108, 208, 308, 408]);
    assert.equal(await countActive(tokens), 495);
  });
}
