// Looks at the data folder before LMDB does: lmdb-js 3.5 ends the process on a file that is not LMDB's (SIGSEGV) and on
// a lock file without room on the disk (SIGBUS), where an operator needs a sentence.
import { randomUUID } from 'node:crypto';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { StoreUnavailable } from '../core/errors.js';
import { toStoreUnavailable } from './lmdb-faults.js';
import { makeFolder } from './make-folder.js';

const DATA_FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
/** More than the lock file and the first pages take. */
const PROBE_BYTES = 65536;
const NO_PAGE = 0xffffffffffffffffn;
const UNUSABLE = 'the data folder (store.path) cannot be used';
const DAMAGED = 'data.mdb in the data folder (store.path) is not an LMDB file, or only a part of one: restore a backup';

/** Also true for a store that was never finished: whoever made the file may have made keys for it. */
export async function lmdbStoreExists(path: string): Promise<boolean> {
  const file = await find(join(path, DATA_FILE));
  return file !== undefined && file.size > 0;
}

/** Which file on which device, so that a file put in its place is noticed; undefined when it is gone. */
export async function findDataFileId(path: string): Promise<string | undefined> {
  const file = await find(join(path, DATA_FILE));
  return file && `${file.dev}:${file.ino}`;
}

/** Makes the folder where it is missing. Throws StoreUnavailable with what is wrong with it. */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await makeFolder(path, 0o700);
    await probeRoom(path);
    await checkDataFile(path);
  } catch (error) {
    throw await toStoreUnavailable(error, UNUSABLE);
  }
}

/** A sparse lock file is mapped without an error, and kills the process when its first page finds no room. */
async function probeRoom(path: string): Promise<void> {
  const lock = await find(join(path, LOCK_FILE));
  if (lock !== undefined && lock.blocks > 0) return;
  const probe = join(path, `probe-${randomUUID()}`);
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES), { mode: 0o600 });
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Compares with the layout of a meta page (lmdb-js 3.5, mdb.c, 64-bit little-endian): flags at 18, magic at 24, data
 * version at 28, page size at 48, root of the free list at 88, root of the main database at 136, transaction at 152.
 * The last pages of a sound file may be missing; a root page never.
 */
export async function checkDataFile(folder: string): Promise<void> {
  const path = join(folder, DATA_FILE);
  const before = await find(path);
  if (before === undefined || before.size === 0 || !['x64', 'arm64'].includes(arch())) return;
  const first = await readMetaPage(path, 0);
  const pageBytes = first.readUInt32LE(48);
  if (first.readUInt32LE(24) !== 0xbeefc0de || (first.readUInt32LE(28) & 0xffff) !== 2 || pageBytes < 256)
    throw damaged();
  const second = await readMetaPage(path, pageBytes);
  const newest = second.readBigUInt64LE(152) > first.readBigUInt64LE(152) ? second : first;
  // Looked up after the meta pages: another process may be making the file longer.
  const size = BigInt((await stat(path)).size);
  for (const root of [newest.readBigUInt64LE(88), newest.readBigUInt64LE(136)]) {
    if (root !== NO_PAGE && (root + 1n) * BigInt(pageBytes) > size) throw damaged();
  }
}

async function readMetaPage(path: string, position: number): Promise<Buffer> {
  await using handle = await open(path, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(168), 0, 168, position);
  if (bytesRead < 168) throw damaged();
  return buffer;
}

async function find(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw await toStoreUnavailable(error, UNUSABLE);
  }
}

function damaged(): StoreUnavailable {
  return new StoreUnavailable(DAMAGED);
}
