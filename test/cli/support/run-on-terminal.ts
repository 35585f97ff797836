// A command on a terminal, which `script` of util-linux makes.
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CliRun } from './run-cli.js';

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

/** Why there is none; for the `skip` of a test. */
export function findNoTerminal(): string | false {
  try {
    const version = execFileSync('script', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return version.includes('util-linux') ? false : 'script is not that of util-linux';
  } catch {
    return 'there is no script command';
  }
}

/** stdout and stderr are one. `typed` is given when it asks. */
export function runOnTerminal(args: readonly string[], typed: string): Promise<Omit<CliRun, 'stderr'>> {
  const command = [process.execPath, MAIN, ...args].map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 20_000,
  });
  let stdout = '';
  let isTyped = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (isTyped || !stdout.includes('to go on: ')) return;
    isTyped = true;
    child.stdin.end(typed);
  });
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout })));
}
