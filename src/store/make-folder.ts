import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder, and those above it, where they are missing. Rejects as mkdir does. That of Node, with `recursive`, never
 * returns where a folder above is there and takes none, as /proc does (Node 20.20).
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
    await makeFolder(dirname(path), mode);
    // Another process may have been faster; and who takes no folder now never will.
    await mkdir(path, { mode }).catch((reason: unknown) => {
      if (!hasCode(reason, 'EEXIST')) throw reason;
    });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
