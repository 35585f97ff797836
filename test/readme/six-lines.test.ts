// The README's "Your own daemon in six lines", line by line as it stands there, in a folder like a fresh clone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TIMEOUT_MS = 60_000;

describe('README', () => {
  it('"Your own daemon in six lines" works as it stands', async () => {
    const lines = findBlock(readFileSync(join(ROOT, 'README.md'), 'utf8'), '## Your own daemon in six lines');
    assert.equal(lines.length, 6);
    const folder = mkdtempSync(join(tmpdir(), 'introspectd-readme-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ['package.json', '.npmrc']) cpSync(join(ROOT, name), join(folder, name));
    for (const name of ['examples', 'node_modules', 'dist', 'client'])
      symlinkSync(join(ROOT, name), join(folder, name));

    const again = lines[4];
    const script = ['set -e', ...lines, again].join('\n');
    const { code, stdout, stderr } = await runBash(script, folder);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const answers = stdout.match(/"active":\s*(true|false)/g)?.map((text) => text.endsWith('true'));
    assert.deepEqual(answers, [true, false], `active, and after the revocation inactive:\n${stdout}\n${stderr}`);
    assert.match(stdout, /"sub": "alice"/);
    assert.match(stdout, /"revoked":true/);
    assert.match(stdout, /"msg":"stopped"/);
  });
});

/** The lines of the first sh block below the heading. */
function findBlock(markdown: string, heading: string): readonly string[] {
  const [, below = ''] = markdown.split(`${heading}\n`);
  return /```sh\n([\s\S]*?)\n```/.exec(below)?.[1]?.split('\n') ?? [];
}

/** Ends what is left running as an interactive shell's "kill %1" does, by the process group. */
function runBash(script: string, cwd: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid ?? 0), name);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH', 'nothing is left running');
    }
  };
  const timer = setTimeout(() => signal('SIGKILL'), TIMEOUT_MS);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  child.on('exit', () => signal('SIGTERM'));
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    }),
  );
}
