// Of mutants.ts: what the model test and the history test see, whatever the parts say that they are made of.
import type { Mutant } from './mutants.js';

const FENCE = '/src/core/fence.js';
const MODEL = { killedBy: 'store/memory-model.test.js', test: 'memory token store does what the model does' };
const HISTORY = { killedBy: 'history/short-history.test.js', test: 'keep the promises' };
const STRANGE_CURSOR = 'resets on a cursor that stands on no entry of the log';

export const HISTORY_MUTANTS: readonly Mutant[] = [
  {
    promise: 1,
    name: 'fence off, three daemons',
    file: FENCE,
    find: 'table.apply(broad, reply.storeTimeMs);',
    replace: '',
    ...HISTORY,
  },
  {
    promise: 1,
    name: 'fence off, two servers against the model',
    file: FENCE,
    find: 'table.apply(broad, reply.storeTimeMs);',
    replace: '',
    ...MODEL,
  },
  {
    promise: 1,
    name: 'a reset that forgets, against the model',
    file: FENCE,
    find: 'table.apply(revocations, reply.storeTimeMs);',
    replace: 'void revocations;',
    ...MODEL,
  },
  {
    promise: 1,
    name: 'a revocation by something is told and not kept, against the model',
    file: '/src/store/store-rules.js',
    find: 'transaction.putLive({ expiresAtMs: Math.max(expiresAtMs, there?.expiresAtMs ?? 0), ...revocation });',
    replace: '',
    ...MODEL,
  },
  {
    promise: 1,
    name: 'the last revocation of a tag wins in the store',
    file: '/src/store/store-rules.js',
    find: 'Math.max(beforeMs, there?.beforeMs ?? 0)',
    replace: 'beforeMs',
    ...MODEL,
  },
  {
    promise: 1,
    name: 'the log of the memory store is read from a place, whatever stands there',
    file: '/src/store/memory-token-store.js',
    find: 'return log[position]?.cursor.equals(bytes) ? position : undefined;',
    replace: 'return position < log.length ? position : undefined;',
    ...MODEL,
  },
  {
    promise: 1,
    name: 'the log of LMDB is read from a place, whatever stands there',
    file: '/src/store/lmdb-reader.js',
    find: ' || !toCursorBytes(first).equals(from)',
    replace: '',
    killedBy: 'store/lmdb-conformance.test.js',
    test: STRANGE_CURSOR,
  },
  {
    promise: 1,
    name: 'the log of Redis is read from a place, whatever stands there',
    file: '/src/store/redis-reader.js',
    find: "id.toString('latin1') !== position.id || !position.random.equals(value.subarray(0, 8))",
    replace: 'false',
    killedBy: 'store/redis-conformance.test.js',
    test: STRANGE_CURSOR,
  },
  {
    promise: 5,
    name: 'a cache that ignores what it is told is seen',
    file: '/test/history/reference-cache.js',
    find: "drop(Buffer.from(tag).toString('hex'));",
    replace: ';',
    ...HISTORY,
  },
];
