import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { makeTempFolder } from './lmdb-temp-folder.js';

/** A real file system of this size; undefined, and said loudly, where none can be mounted. */
export function mountSmall(t: TestContext, size: string): string | undefined {
  // Lazy: what runs on it may be ended after it.
  const path = makeTempFolder(t, (mounted) => spawnSync('umount', ['--lazy', mounted]));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status !== 0) {
    t.skip('NOT TESTED: no small file system can be mounted here');
    return undefined;
  }
  return path;
}
