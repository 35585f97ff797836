// A job may end at any instant, and goes on with no line lost and none twice.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { spawnCli } from '../cli/support/run-cli.js';
import { mountSmall } from '../store/small-file-system.js';
import { type JobDaemon, readAnswerFile, readAnswers, startJobDaemon } from './job-daemon.js';
import { type KillPoint, runUntilKilled } from './killed-run.js';

const COUNT = 1_000;
const REJECTED = [100, 101, 999];
const WAIT_MS = 15_000;
/** A checkpoint after each chunk, of which there are twenty. */
const SMALL_STEPS = ['--chunk', '50', '--checkpoint', '1ms', '--claims', 'sub'];

const CHECKPOINT = '/src/cli/checkpoint.js';
const LEDGER = '/src/cli/job-ledger.js';
const RENAME = 'await rename(draft, path);';
const POINTS: readonly KillPoint[] = [
  {
    name: 'the new checkpoint',
    file: CHECKPOINT,
    find: "const handle = await open(draft, 'w', 0o600);",
    when: 'before',
    times: [1, 4],
  },
  {
    name: 'the sync of the new checkpoint',
    file: CHECKPOINT,
    find: 'await handle.writeFile(',
    when: 'before',
    times: [1, 3],
  },
  { name: 'the rename', file: CHECKPOINT, find: RENAME, when: 'before', times: [1, 2, 7] },
  { name: 'the rename', file: CHECKPOINT, find: RENAME, when: 'after', times: [1, 2, 7, 21] },
  {
    name: 'the sync of the folder',
    file: CHECKPOINT,
    find: 'await syncFolder(dirname(path));',
    when: 'after',
    times: [1, 5],
  },
  { name: 'the output', file: LEDGER, find: 'await output.append(report.output);', when: 'before', times: [1, 6] },
  { name: 'the output', file: LEDGER, find: 'await output.append(report.output);', when: 'after', times: [2, 6] },
  { name: 'the sync of the output', file: LEDGER, find: 'await output.sync();', when: 'after', times: [1, 8] },
  {
    name: 'a write',
    file: '/src/cli/durable-file.js',
    find: 'const { bytesWritten } = await handle.write(rest, 0, rest.length, bytes);',
    when: 'halfway',
    times: [1, 4],
  },
];

let daemon: JobDaemon;
let file: string;
let undisturbed: { readonly output: string; readonly rejects: string };

before(async () => {
  daemon = await startJobDaemon(COUNT);
  const lines = Array.from({ length: COUNT }, (_, index) => daemon.token(index));
  for (const line of REJECTED) lines[line - 1] = 'no token';
  file = daemon.write('job.txt', lines.join('\n'));
  // Of whole seconds, so that it can be set again.
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const out = daemon.path('undisturbed.out');
  assert.equal((await daemon.run('batch', 'auditor', jobArgs(out))).code, 1);
  undisturbed = readJob(out);
  assert.equal(readAnswers(undisturbed.output).length + readAnswers(undisturbed.rejects).length, COUNT);
});
after(() => daemon.stop());

const jobArgs = (out: string, ...more: readonly string[]) => ['--file', file, '--out', out, ...SMALL_STEPS, ...more];
const resume = (out: string) => daemon.run('batch', 'auditor', jobArgs(out, '--resume'));

function readJob(out: string) {
  return { output: readFileSync(out, 'utf8'), rejects: readFileSync(`${out}.rejects`, 'utf8') };
}

/** Starts it slowly, and resolves when it has saved some of its answers. */
async function startSlowly(out: string, ...more: readonly string[]) {
  const child = spawnCli(daemon.argsFor('batch', 'auditor', jobArgs(out, '--rate', '500', ...more)));
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const closed = once(child, 'close');
  await waitFor(() => savedLine(out) >= 100);
  return { child, closed, stderr: () => stderr };
}

function savedLine(out: string): number {
  if (!existsSync(`${out}.checkpoint`)) return 0;
  return JSON.parse(readFileSync(`${out}.checkpoint`, 'utf8')).position.line;
}

async function waitFor(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!condition()) {
    assert.ok(performance.now() < endMs, 'it did not come to it');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('kill -9', { concurrency: 2 }, () => {
  for (const point of POINTS) {
    for (const time of point.times) {
      it(`${point.when} ${point.name}, time ${time}`, async () => {
        const out = daemon.path(`killed-${POINTS.indexOf(point)}-${time}.out`);
        await runUntilKilled(daemon.argsFor('batch', 'auditor', jobArgs(out)), point, time, `${out}.marker`);
        const { code, stderr } = await resume(out);
        assert.equal(code, 1, stderr);
        assert.deepEqual(readJob(out), undisturbed);
      });
    }
  }
});

test('a job that is done is done, and still says whether every line was answered', async () => {
  const out = daemon.path('undisturbed.out');
  const { code, stderr } = await resume(out);
  assert.deepEqual([code, stderr], [1, `done already: ${COUNT - 3} answered, 498 active, 3 rejected\n`]);
  assert.deepEqual(readJob(out), undisturbed);
});

test('Ctrl-C ends it cleanly; what was answered is there, and --resume does the rest', async () => {
  const out = daemon.path('stopped.out');
  const { child, closed, stderr } = await startSlowly(out);
  child.kill('SIGINT');
  assert.deepEqual(await closed, [1, null]);
  assert.match(stderr(), /answered, .*Not at its end; go on: the same command with --resume\n$/);
  const { output } = readJob(out);
  assert.ok(output.length < undisturbed.output.length && undisturbed.output.startsWith(output));
  assert.equal((await resume(out)).code, 1);
  assert.deepEqual(readJob(out), undisturbed);
});

test('Ctrl-C ends it while stdin says nothing', async () => {
  const child = spawnCli(daemon.argsFor('batch', 'auditor', ['--claims', '']));
  let stdout = '';
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stdin?.write(`${daemon.token(0)}\n`);
  await waitFor(() => stdout !== '');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.equal(stdout, '{"line":1,"active":true}\n');
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`the daemon is restarted by ${signal} in mid-job: it waits, and goes on`, async () => {
    const out = daemon.path(`restarted-${signal}.out`);
    const { closed, stderr } = await startSlowly(out);
    await daemon.restartInPlace(signal);
    const [code] = await closed;
    assert.equal(code, 1, stderr());
    assert.deepEqual(readJob(out), undisturbed);
    assert.match(stderr(), /waiting for the daemon: /);
  });
}

test('a daemon that does not come back is given up after --patience, and the job can go on', async () => {
  const out = daemon.path('given-up.out');
  const { closed, stderr } = await startSlowly(out, '--patience', '1s');
  await daemon.process.stop('SIGKILL');
  assert.deepEqual(await closed, [1, null]);
  assert.match(stderr(), /go on: the same command with --resume\nintrospectd: UNAVAILABLE/);
  await daemon.restartInPlace('SIGKILL');
  assert.equal((await resume(out)).code, 1);
  assert.deepEqual(readJob(out), undisturbed);
});

test('nothing goes on that is not what was begun', async () => {
  const out = daemon.path('changed.out');
  const { child, closed } = await startSlowly(out);
  child.kill('SIGKILL');
  await closed;
  const original = daemon.path('original.txt');
  copyFileSync(file, original);
  const { atime, mtime } = statSync(file);
  const refused = async (args: readonly string[], words: RegExp) => {
    const { code, stderr } = await daemon.run('batch', 'auditor', args);
    assert.equal(code, 2);
    assert.match(stderr, words);
  };
  await refused(jobArgs(out), /a job was begun here/);
  await refused([...jobArgs(out), '--shard', '0/2', '--resume'], /begun with other options/);
  await refused(['--file', file, '--out', file], /is there already/);
  for (const change of [
    () => appendFileSync(file, '\nmore'),
    () => writeFileSync(file, readFileSync(file, 'utf8').replace('job', 'jab')),
    () => utimesSync(file, atime, new Date(mtime.getTime() + 1_000)),
  ]) {
    change();
    await refused(jobArgs(out, '--resume'), /the input was changed/);
    copyFileSync(original, file);
    utimesSync(file, atime, mtime);
  }
  const output = readFileSync(out, 'utf8');
  writeFileSync(out, '');
  await refused(jobArgs(out, '--resume'), /shorter than it was/);
  writeFileSync(out, output);
  assert.equal((await resume(out)).code, 1);
  assert.deepEqual(readJob(out), undisturbed);
});

test('a full disk is said to be full, and the job goes on when there is room', async (t) => {
  const folder = mountSmall(t, '64k');
  if (folder === undefined) return;
  const out = join(folder, 'answers.out');
  const filler = join(folder, 'filler');
  writeFileSync(filler, Buffer.alloc(36 * 1024));
  const { code, stderr } = await daemon.run('batch', 'auditor', jobArgs(out));
  assert.equal(code, 1);
  assert.match(stderr, /the disk is full \(ENOSPC\)/);
  assert.match(stderr, /--resume/);
  writeFileSync(filler, '');
  assert.equal((await resume(out)).code, 1);
  assert.deepEqual(readJob(out), undisturbed);
  assert.equal(readAnswerFile(out).length, COUNT - REJECTED.length);
});
