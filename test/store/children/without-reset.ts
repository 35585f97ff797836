// Preloaded by a test that must go wrong: lmdb-js without the reset of the read transaction before a read.
import { createRequire } from 'node:module';

const lmdb = createRequire(import.meta.url)('lmdb');
const { open } = lmdb;
lmdb.open = (...args: unknown[]) => {
  const environment = open(...args);
  Object.getPrototypeOf(environment).resetReadTxn = () => undefined;
  return environment;
};
