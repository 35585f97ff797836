// The keys file: read, or made once, next to a store that is made at the same time.
import { randomBytes } from 'node:crypto';
import { link, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatNewKeys, type KeyRing, parseKeyRing } from '../core/key-ring.js';
import { FaultsError } from './faults.js';
import { isOpenToOthers, readBoundedFile } from './read-bounded-file.js';

const MAX_BYTES = 64 * 1024;

export interface KeysFile {
  readonly keyRing: KeyRing;
  /** Not wrong, but worth a line in the log. */
  readonly warnings: readonly string[];
}

/** False only when it is not there: a file that cannot be looked at must not be replaced by new keys. */
export async function keysFileExists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}

/** Throws FaultsError, never with a key in it. */
export async function readKeysFile(path: string): Promise<KeysFile> {
  const read = await readBoundedFile(path, MAX_BYTES);
  if (read.problem !== undefined) throw fault(path, read.problem);
  const warnings = isOpenToOthers(read.mode) ? [`${path} is open to every user; chmod 600 it`] : [];
  try {
    return { keyRing: parseKeyRing(read.bytes.toString('utf8')), warnings };
  } catch (error) {
    // parseKeyRing's messages are fixed texts and line numbers.
    throw fault(path, error instanceof Error ? error.message : 'cannot be read');
  }
}

/**
 * Makes the file, mode 0600, unless there is one. It appears whole or not at all: a daemon that starts at the same time
 * on the same folder reads the same keys.
 */
export async function createKeysFile(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably(draft, formatNewKeys(randomBytes));
    // Like O_EXCL: link fails where the name is taken.
    await link(draft, path).catch(unlessTaken);
    await syncFolder(dirname(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
    throw fault(path, `cannot be made (${code}); make its folder writable, or give keys_file another path`);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** The name must be on the disk before the first entry under its keys is. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function unlessTaken(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

function fault(path: string, problem: string): FaultsError {
  return new FaultsError('the keys file', [{ path: 'keys_file', origin: path, problem }]);
}
