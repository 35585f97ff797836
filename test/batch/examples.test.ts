// The examples of batch jobs as they stand, against a real daemon.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { runCli } from '../cli/support/run-cli.js';
import { type JobDaemon, readAnswerFile, startJobDaemon } from './job-daemon.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
const AT_ONCE = 4;

let daemon: JobDaemon;
before(async () => {
  daemon = await startJobDaemon(200);
});
after(() => daemon.stop());

test('the pods of the Indexed Job answer every line of the folder once', async () => {
  const { spec } = parse(readFileSync(join(EXAMPLES, 'jobs/kubernetes-indexed-job.yaml'), 'utf8'));
  assert.equal(spec.completionMode, 'Indexed');
  const [{ args }] = spec.template.spec.containers;
  const { caFile, certFile, keyFile } = daemon.workspace.tls('auditor');
  const places: Readonly<Record<string, string>> = {
    'introspectd.mesh:50051': daemon.process.target,
    '/certs/ca.crt': caFile,
    '/certs/tls.crt': certFile,
    '/certs/tls.key': keyFile,
    '/data': daemon.folder,
  };
  const toArgs = (index: number): string[] =>
    args.map((arg: string) =>
      Object.entries(places).reduce(
        (text, [from, to]) => text.replace(from, to),
        arg.replaceAll('$(JOB_COMPLETION_INDEX)', String(index)),
      ),
    );
  mkdirSync(daemon.path('in'));
  mkdirSync(daemon.path('out'));
  const files = 10;
  for (let file = 0; file < files; file++) {
    const tokens = Array.from({ length: 20 }, (_, line) => daemon.token(file * 20 + line));
    writeFileSync(daemon.path(`in/${file}.txt`), tokens.join('\n'));
  }
  const indices: number[] = Array.from({ length: spec.completions }, (_, index) => index);
  assert.ok(indices.length > AT_ONCE);
  for (let start = 0; start < indices.length; start += AT_ONCE) {
    const runs = await Promise.all(indices.slice(start, start + AT_ONCE).map((index) => runCli(toArgs(index))));
    assert.deepEqual(
      runs.map(({ code }) => code),
      runs.map(() => 0),
      runs.map(({ stderr }) => stderr).join(''),
    );
  }
  const answers = indices.flatMap((index) => readAnswerFile(daemon.path(`out/part-${index}.ndjson`)));
  const seen = new Map(answers.map(({ file, line, active }) => [`${file}:${line}`, active]));
  assert.equal(answers.length, files * 20);
  for (let number = 0; number < files * 20; number++) {
    assert.equal(seen.get(`${Math.floor(number / 20)}.txt:${(number % 20) + 1}`), number % 2 === 0);
  }
});

test('client.stream over a list on stdin', async () => {
  const { caFile, certFile, keyFile } = daemon.workspace.tls('auditor');
  const env = { INTROSPECTD_TARGET: daemon.process.target, CA_FILE: caFile, CERT_FILE: certFile, KEY_FILE: keyFile };
  const child = spawn(process.execPath, [join(EXAMPLES, 'stream-tokens/sweep.mjs')], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stdin.end(`${daemon.token(0)}\n${daemon.token(1)}\nno token\n`);
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.deepEqual([code, stdout], [0, '1 active user-0\n2 inactive\n3 TOKEN_MALFORMED\n']);
});
