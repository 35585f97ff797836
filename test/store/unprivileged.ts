import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { childScript } from './lmdb-temp-folder.js';

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];

/** Runs the child script as a user that no folder makes an exception for. Undefined, and said loudly, where it cannot. */
export function runUnprivileged(t: TestContext, script: string, ...args: readonly string[]) {
  const node: readonly [string, ...string[]] =
    process.getuid?.() === 0 ? ['setpriv', ...AS_NOBODY] : [process.execPath];
  const [command, ...before] = node;
  const probe = spawnSync(command, [...before, '--check', childScript(script)]);
  if (probe.status !== 0) {
    t.skip('NOT TESTED: an unprivileged user cannot be had here (setpriv), or cannot read the checkout');
    return undefined;
  }
  const { status, signal, stdout } = spawnSync(command, [...before, childScript(script), ...args], {
    encoding: 'utf8',
  });
  return { status, signal, stdout };
}
