// Opens LMDB the way this store needs it. lmdb-js shares one environment among all handles of a process.
import { BINARY, type BinaryDatabase, type Environment, lmdb } from './lmdb-binding.js';
import { DATABASE_NAMES, type DatabaseName } from './lmdb-layout.js';

export interface LmdbDatabases extends Readonly<Record<DatabaseName, BinaryDatabase>> {
  readonly root: Environment;
}

const OPTIONS = {
  ...BINARY,
  // A folder is a folder, also when its name has a dot.
  noSubdir: false,
  maxDbs: DATABASE_NAMES.length,
  // LMDB's own order: on disk, then visible, then acknowledged. The default of lmdb-js shows a commit to readers before
  // it is on disk, so a crash could take back what somebody was told.
  overlappingSync: false,
  // With it, lmdb-js makes one promise more for a commit, whose rejection (a full disk) nobody can catch.
  eventTurnBatching: false,
  permissionsMode: 0o600,
};

/** Makes what is missing. Waits for the write lock, so never call it while this process has a transaction under way. */
export function openLmdbDatabases(path: string): LmdbDatabases {
  const root = lmdb.open(path, OPTIONS);
  const openDatabase = (name: DatabaseName): BinaryDatabase => {
    const database = root.openDB({ ...BINARY, name });
    if (database === undefined) throw new Error('LMDB made no database');
    return database;
  };
  return {
    root,
    entries: openDatabase('entries'),
    log: openDatabase('log'),
    live: openDatabase('live'),
    expiry: openDatabase('expiry'),
    meta: openDatabase('meta'),
  };
}

/** Writes nothing, and needs no right to write. A database is undefined in a file that is not a store of ours. */
export function openLmdbToRead(path: string): {
  readonly root: Environment;
  readonly entries: BinaryDatabase | undefined;
  readonly meta: BinaryDatabase | undefined;
} {
  const root = lmdb.open(path, { ...OPTIONS, readOnly: true });
  return { root, entries: root.openDB({ ...BINARY, name: 'entries' }), meta: root.openDB({ ...BINARY, name: 'meta' }) };
}
