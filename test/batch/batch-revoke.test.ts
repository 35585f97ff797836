// introspectd batch --revoke: every active token of a list dies, and no other; it can stop at any instant and go on.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it, test } from 'node:test';
import { findNoTerminal, runOnTerminal } from '../cli/support/run-on-terminal.js';
import { type JobDaemon, readAnswerFile, startJobDaemon } from './job-daemon.js';
import { type KillPoint, runUntilKilled } from './killed-run.js';

const COUNT = 2_000;
const LIST = 200;
const RUN = '/src/cli/batch-run.js';
const POINTS: readonly KillPoint[] = [
  {
    name: 'the revocations',
    file: RUN,
    find: 'await revoke(active.map(({ token }) => token));',
    when: 'before',
    times: [2],
  },
  {
    name: 'the revocations',
    file: RUN,
    find: 'await revoke(active.map(({ token }) => token));',
    when: 'after',
    times: [1, 3],
  },
  {
    name: 'a revocation',
    file: '/src/cli/batch-revoke.js',
    find: 'await client.revoke(token, { reason, signal });',
    when: 'after',
    times: [1, 30],
  },
  {
    name: 'the rename',
    file: '/src/cli/checkpoint.js',
    find: 'await rename(draft, path);',
    when: 'after',
    times: [4],
  },
];

let daemon: JobDaemon;
before(async () => {
  daemon = await startJobDaemon(COUNT);
});
after(() => daemon.stop());

let lists = 0;

/** Every other of them is registered; a line is none. */
function nextList(): { readonly file: string; readonly tokens: readonly string[] } {
  const first = lists++ * LIST;
  const tokens = Array.from({ length: LIST }, (_, index) => daemon.token(first + index));
  return { file: daemon.write(`leaked-${first}.txt`, [...tokens, 'no token'].join('\n')), tokens };
}

const REPORT = Array.from({ length: LIST }, (_, index) => {
  const isActive = index % 2 === 0;
  return { line: index + 1, active: isActive, revoked: isActive };
});

const revoke = (file: string, ...args: readonly string[]) =>
  daemon.run('batch', 'security', ['--file', file, '--revoke', '--chunk', '20', '--checkpoint', '1ms', ...args]);

async function countActive(tokens: readonly string[]): Promise<number> {
  const file = daemon.write(`check-${lists}.txt`, tokens.join('\n'));
  const { stdout } = await daemon.run('batch', 'auditor', ['--file', file, '--output', 'summary']);
  return JSON.parse(stdout).active;
}

test('a dry run counts; without a terminal or --yes nothing is revoked; with --yes every active one is', async () => {
  const { file, tokens } = nextList();
  const out = daemon.path('report.out');
  const dry = await revoke(file, '--dry-run');
  assert.deepEqual(JSON.parse(dry.stdout), { lines: LIST + 1, active: 100, inactive: 100, rejected: 1, revoked: 0 });
  const unconfirmed = await revoke(file, '--out', out);
  assert.equal(unconfirmed.code, 2);
  assert.match(unconfirmed.stderr, /This revokes 100 active tokens, of 201 lines in .*\n.*nothing was revoked/);
  assert.equal(existsSync(out), false);
  assert.equal(await countActive(tokens), 100);

  const { code, stderr } = await revoke(file, '--out', out, '--yes', '--reason', 'leaked');
  assert.equal(code, 1, 'a line was no token');
  assert.match(stderr, /200 answered, 100 active, 1 rejected, 100 revoked\n$/);
  assert.deepEqual(readAnswerFile(out), REPORT);
  assert.match(readFileSync(`${out}.rejects`, 'utf8'), /^\{"line":201,"reason":"TOKEN_MALFORMED"/);
  assert.equal(await countActive(tokens), 0);
  assert.doesNotMatch(
    readFileSync(out, 'utf8') + readFileSync(`${out}.checkpoint`, 'utf8') + daemon.log(),
    /job-token/,
  );
});

test('on a terminal the count is typed, below a bar', { skip: findNoTerminal() }, async () => {
  const { file, tokens } = nextList();
  const out = daemon.path('typed.out');
  const args = daemon.argsFor('batch', 'security', ['--file', file, '--revoke', '--out', out]);
  const wrong = await runOnTerminal(args, '99\n');
  assert.equal(wrong.code, 2);
  assert.equal(await countActive(tokens), 100);
  const { code, stdout } = await runOnTerminal(args, '100\n');
  assert.equal(code, 1, stdout);
  assert.match(stdout, /100% \| 201 rows \| [\d,]+\/s/);
  assert.deepEqual(readAnswerFile(out), REPORT);
  assert.equal(await countActive(tokens), 0);
});

test('where none is active there is nothing to revoke', async () => {
  const file = daemon.write('unknown.txt', 'unknown-1\nunknown-2\n');
  const { code, stdout } = await revoke(file, '--out', daemon.path('none.out'));
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).active, 0);
});

describe('kill -9', { concurrency: 2 }, () => {
  for (const point of POINTS) {
    for (const time of point.times) {
      it(`${point.when} ${point.name}, time ${time}: the report of the resumed job is whole`, async () => {
        const { file, tokens } = nextList();
        const out = daemon.path(`killed-${lists}.out`);
        const args = ['--file', file, '--revoke', '--chunk', '20', '--checkpoint', '1ms', '--out', out, '--yes'];
        await runUntilKilled(daemon.argsFor('batch', 'security', args), point, time, `${out}.marker`);
        const { code, stderr } = await revoke(file, '--out', out, '--resume');
        assert.equal(code, 1, stderr);
        assert.deepEqual(readAnswerFile(out), REPORT);
        assert.equal(await countActive(tokens), 0);
      });
    }
  }
});
