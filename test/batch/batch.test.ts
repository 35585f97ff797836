// introspectd batch against a running daemon: every line of every kind of input has one answer, or stands among the rejects.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import zlib, { gzipSync } from 'node:zlib';
import { AUDIENCE } from '../cases/introspect-cases.js';
import { runCli, spawnCli } from '../cli/support/run-cli.js';
import { type JobDaemon, readAnswerFile, readAnswers, startJobDaemon } from './job-daemon.js';

const COUNT = 3_000;
let daemon: JobDaemon;
let lines: string[];

before(async () => {
  daemon = await startJobDaemon(COUNT);
  lines = Array.from({ length: COUNT }, (_, index) => daemon.token(index));
});
after(() => daemon.stop());

const batch = (...args: readonly string[]) => daemon.run('batch', 'auditor', args);
const isActive = (line: number) => (line - 1) % 2 === 0;

/** Each of these lines once, in order, with the answer it should have. */
function assertAnswers(answers: readonly { line: number; active: boolean }[], expectedLines: readonly number[]): void {
  assert.deepEqual(
    answers.map(({ line, active }) => [line, active]),
    expectedLines.map((line) => [line, isActive(line)]),
  );
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('plain lines from stdin to stdout', async () => {
  const args = daemon.argsFor('batch', 'auditor', ['--claims', 'sub']);
  const { code, stdout, stderr } = await runCli(args, { input: lines.join('\n') });
  assert.equal(code, 0, stderr);
  const answers = readAnswers(stdout);
  assertAnswers(answers, upTo(COUNT));
  assert.deepEqual(answers.slice(0, 2), [
    { line: 1, active: true, claims: { sub: 'user-0' } },
    { line: 2, active: false },
  ]);
  assert.equal(stderr, `${COUNT} answered, ${COUNT / 2} active, 0 rejected\n`);
});

test('gzip, whatever the file is called; the output is for its owner alone', async () => {
  const file = daemon.write('packed.txt', gzipSync(lines.join('\n')));
  const out = daemon.path('packed.out');
  const { code, stdout } = await batch('--file', file, '--out', out);
  assert.deepEqual([code, stdout], [0, '']);
  assertAnswers(readAnswerFile(out), upTo(COUNT));
  assert.equal(statSync(out).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(out, 'utf8') + readFileSync(`${out}.checkpoint`, 'utf8'), /job-token/);
});

test('NDJSON with ids; what is no row, and what is no token, is rejected by line and reason, and not shown', async () => {
  const file = daemon.write(
    'in.ndjson',
    Buffer.concat([
      Buffer.from(`${JSON.stringify({ access: daemon.token(0), user: 'a' })}\r\n`),
      Buffer.from('canary\n\n'),
      Buffer.from(`${JSON.stringify({ access: 'canary\0', user: 'd' })}\n`),
      Buffer.from('{"access":"canary'),
      Buffer.from([0xff]),
      Buffer.from(`"}\n${JSON.stringify({ access: 'canary'.repeat(1_000), user: 'f' })}\n`),
      Buffer.from(`${JSON.stringify({ access: daemon.token(1), user: 'a' })}\n`),
    ]),
  );
  const out = daemon.path('ndjson.out');
  const { code, stderr } = await batch('--file', file, '--out', out, '--field', 'access', '--id-field', 'user');
  assert.equal(code, 1);
  assert.deepEqual(
    readAnswerFile(out).map(({ line, id, active }) => [line, id, active]),
    [
      [1, 'a', true],
      [7, 'a', false],
    ],
  );
  const rejects = readFileSync(`${out}.rejects`, 'utf8');
  assert.deepEqual(
    readAnswers(rejects).map(({ line, id, reason }) => [line, id, reason]),
    [
      [2, undefined, 'NOT_JSON'],
      [4, 'd', 'TOKEN_MALFORMED'],
      [5, undefined, 'NOT_UTF8'],
      [6, 'f', 'TOKEN_TOO_LONG'],
    ],
  );
  assert.doesNotMatch(rejects + stderr, /canary/);
  assert.match(stderr, /2 answered, 1 active, 4 rejected/);
});

test('CSV in and out; what a spreadsheet would run is text', async () => {
  await daemon.register([{ token: 'csv-formula', claims: { sub: '=cmd()' } }]);
  const file = daemon.write('in.csv', 'id,token\n"a,b",csv-formula\nc,unknown\n');
  const { code, stdout } = await batch('--file', file, '--output', 'csv', '--id-field', 'id', '--claims', 'sub,aud');
  assert.equal(code, 0);
  assert.equal(stdout, `line,id,active,sub,aud\n2,"a,b",true,'=cmd(),"[""${AUDIENCE}""]"\n3,c,false,,\n`);
});

test('a summary alone; tokens in clear when they are asked for', async () => {
  const file = daemon.write('some.txt', lines.slice(0, 11).join('\n'));
  const summary = await batch('--file', file, '--output', 'summary');
  assert.deepEqual(JSON.parse(summary.stdout), { lines: 11, active: 6, inactive: 5, rejected: 0, revoked: 0 });
  const clear = await batch('--file', file, '--write-tokens-in-clear', '--claims', '');
  assert.equal(clear.stdout.split('\n')[0], JSON.stringify({ line: 1, token: daemon.token(0), active: true }));
});

test('whoever may ask why is told', async () => {
  const file = daemon.write('why.txt', 'unknown\n');
  const { stdout } = await daemon.run('batch', 'explainer', ['--file', file]);
  assert.equal(stdout, '{"line":1,"active":false,"inactive_reason":"NOT_FOUND"}\n');
});

test('four processes with a shard each answer every line of a file once', async () => {
  const file = daemon.write('sharded.txt', lines.join('\n'));
  const runs = await Promise.all([0, 1, 2, 3].map((index) => batch('--file', file, '--shard', `${index}/4`)));
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0, 0],
  );
  const parts = runs.map(({ stdout }) => readAnswers(stdout));
  for (const part of parts) assert.equal(part.length, COUNT / 4);
  assertAnswers(
    parts.flat().sort((a, b) => a.line - b.line),
    upTo(COUNT),
  );
});

test('four processes with a shard each answer every file of a folder once', async () => {
  const folder = daemon.path('shards');
  mkdirSync(folder);
  for (let part = 0; part < 6; part++) {
    const text = lines.slice(part * 10, part * 10 + 10).join('\n');
    writeFileSync(`${folder}/part-${part}`, part % 2 === 0 ? text : gzipSync(text));
  }
  const runs = await Promise.all([0, 1, 2, 3].map((index) => batch('--file', folder, '--shard', `${index}/4`)));
  const answers = runs.flatMap(({ stdout }) => readAnswers(stdout));
  const seen = answers.map(({ file, line, active }) => `${file} ${line} ${active}`).sort();
  const expected = [0, 1, 2, 3, 4, 5].flatMap((part) =>
    upTo(10).map((line) => `part-${part} ${line} ${isActive(line)}`),
  );
  assert.deepEqual(seen, expected.sort());
  const inside = await batch('--file', folder, '--out', `${folder}/answers`);
  assert.equal(inside.code, 2);
  assert.match(inside.stderr, /is in the folder of --file/);
  assert.deepEqual([...new Set(readAnswers(runs[1]?.stdout ?? '').map(({ file }) => file))], ['part-1', 'part-5']);
});

test('a gzip that is cut off: what could be read is answered, the rest is said to be missing', async () => {
  const whole = gzipSync(lines.join('\n'), { level: 0 });
  const out = daemon.path('cut.out');
  const file = daemon.write('cut.gz', whole.subarray(0, whole.length / 2));
  const { code, stderr } = await batch('--file', file, '--out', out);
  assert.equal(code, 1);
  assert.match(stderr, /cut\.gz is cut off or damaged/);
  const answers = readAnswerFile(out);
  assert.ok(answers.length > 0 && answers.length < COUNT);
  assertAnswers(answers, upTo(answers.length));
});

test('zstd is unpacked where Node can, and refused with words where it cannot', async () => {
  const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (text: string) => Buffer };
  const packed = zstdCompressSync?.(lines.join('\n')) ?? Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x08]);
  const { code, stdout, stderr } = await batch('--file', daemon.write('packed.zst', packed), '--claims', '');
  if (zstdCompressSync !== undefined) assertAnswers(readAnswers(stdout), upTo(COUNT));
  else assert.match(stderr, /zstd, which Node \S+ cannot unpack/);
  assert.equal(code, zstdCompressSync === undefined ? 2 : 0);
});

test('an empty file is answered; a file or a folder that is not there, or empty, is not', async () => {
  const empty = await batch('--file', daemon.write('empty.txt', ''));
  assert.deepEqual([empty.code, empty.stdout], [0, '']);
  assert.equal((await batch('--file', daemon.path('no-such-file'))).code, 2);
  mkdirSync(daemon.path('empty-folder'));
  assert.equal((await batch('--file', daemon.path('empty-folder'))).code, 2);
});

test('a line of 256 MB costs no memory and no other line', async () => {
  const child = spawnCli(daemon.argsFor('batch', 'auditor', ['--output', 'ndjson']));
  let [stdout, stderr, peakKib] = ['', '', 0];
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const closed = once(child, 'close');
  const block = Buffer.alloc(1024 * 1024, 'x');
  child.stdin?.write(`${daemon.token(0)}\n`);
  for (let megabyte = 0; megabyte < 256; megabyte++) {
    if (child.stdin?.write(block) === false) await once(child.stdin, 'drain');
    const kib = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    peakKib = Math.max(peakKib, Number(kib));
  }
  child.stdin?.end(`\n${daemon.token(1)}\n`);
  const [code] = await closed;
  assert.equal(code, 1);
  assert.deepEqual(
    readAnswers(stdout).map(({ line, active }) => [line, active]),
    [
      [1, true],
      [3, false],
    ],
  );
  assert.match(stderr, /"line":2,"reason":"LINE_TOO_LONG"/);
  assert.ok(peakKib < 200 * 1024, `${peakKib} KiB`);
});

test('not faster than --rate, nor than the caller may', async () => {
  const file = daemon.write('rated.txt', lines.slice(0, 1_500).join('\n'));
  for (const [caller, ...args] of [['auditor', '--rate', '1000'], ['slow']]) {
    const startMs = performance.now();
    const { code, stdout } = await daemon.run('batch', caller ?? '', ['--file', file, '--claims', '', ...args]);
    assert.equal(code, 0);
    assertAnswers(readAnswers(stdout), upTo(1_500));
    // The first of them, a tenth of a second's or the burst, do not wait.
    assert.ok(performance.now() - startMs >= 900, `${caller} was too fast`);
  }
});

test('who may not ask is told so, with what to do; the options are checked first', async () => {
  const file = daemon.write('one.txt', 'a\n');
  const denied = await daemon.run('batch', 'nobody', ['--file', file]);
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /PERMISSION_MISSING/);
  for (const args of [
    ['--shard', '4/4'],
    ['--shard', '1'],
    ['--rate', '0'],
    ['--resume'],
    ['--resume', '--file', file],
    ['--revoke'],
    ['--revoke', '--file', file],
    ['--yes'],
    ['--id-field', 'x'],
    ['--output', 'xml'],
    ['a-token-on-the-command-line'],
  ]) {
    const { code, stderr } = await batch(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /a-token-on/);
  }
});
