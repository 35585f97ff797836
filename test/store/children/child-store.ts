import { openLmdbTokenStore } from '../../../src/store/lmdb-token-store.js';
import { makeOptions } from '../harness.js';

/** The store of the folder that the parent named, on the real clock. */
export function openChildStore() {
  const [, , path] = process.argv;
  if (path === undefined) throw new Error('usage: <script> <folder>');
  return openLmdbTokenStore({ path, ...makeOptions({ clockMs: 0 }), clock: Date.now });
}
