// Takes the write lock of the folder, says so, and keeps it until it is killed.
import { writeSync } from 'node:fs';
import { openLmdbDatabases } from '../../../src/store/lmdb-environment.js';

const [, , path = ''] = process.argv;
const { root } = openLmdbDatabases(path);
root.transactionSync(() => {
  writeSync(1, 'locked\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
});
