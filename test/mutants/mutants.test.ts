// Each promise has a mechanism; without it, the named test must go red.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CLIENT_MUTANTS } from './client-mutants.js';
import { MUTANTS } from './mutants.js';
import type { Mutation } from './mutation.js';

const DIST_TEST = fileURLToPath(new URL('..', import.meta.url));
const HOOK = new URL('./install-mutation.js', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'introspectd-mutants-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('a mutant is killed:', { concurrency: 2 }, () => {
  for (const [index, mutant] of [...MUTANTS, ...CLIENT_MUTANTS].entries()) {
    it(`promise ${mutant.promise}: ${mutant.name}`, async () => {
      const marker = join(folder, `applied-${index}`);
      const { file, find, replace } = mutant;
      const { code, output } = await run(mutant.killedBy, mutant.test, { file, find, replace, marker });
      assert.ok(existsSync(marker), `the edit was never made:\n${output}`);
      assert.match(
        output,
        new RegExp(`^\\s*not ok \\d+ - .*${escapeRegExp(mutant.test)}`, 'm'),
        `it did not go red:\n${output}`,
      );
      assert.notEqual(code, 0, 'the test stayed green without the mechanism');
    });
  }
});

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function run(file: string, test: string, mutation: Mutation): Promise<{ code: number | null; output: string }> {
  const args = ['--test-reporter=tap', '--test-name-pattern', test, join(DIST_TEST, file)];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    env: { ...env, NODE_OPTIONS: `--import ${HOOK}`, MUTATION: JSON.stringify(mutation) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // An edit that cannot be made may leave a test without its end.
    timeout: 120_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
