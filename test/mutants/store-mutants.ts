// Rows of mutants.ts: what a store needs its keys for, and its bounds.
import type { Mutant } from './mutants.js';

const STORE_KEYS = '/src/store/store-keys.js';
const CHANGE_BOUNDS = '/src/store/change-bounds.js';

export const STORE_MUTANTS: readonly Mutant[] = [
  {
    promise: 1,
    name: 'a daemon that lacks a digest key in use goes on',
    file: STORE_KEYS,
    find: 'if (missing.length > 0)',
    replace: 'if (false)',
    killedBy: 'store/memory-conformance.test.js',
    test: 'whose ring lacks a key that another one began to write with',
  },
  {
    promise: 1,
    name: 'a digest key is written with that is not reserved',
    file: '/src/store/lmdb-transaction.js',
    find: 'const settings = reserveWritingKey(admitted, options, state.lastStoreTimeMs);',
    replace: 'const settings = admitted;',
    killedBy: 'store/lmdb-conformance.test.js',
    test: 'the next write takes the ones that lack it out',
  },
  {
    promise: 2,
    name: 'an unknown token that is revoked again stays under the old key alone',
    file: '/src/store/store-rules.js',
    find: 'transaction.putEntry(writing, bury(',
    replace: 'if (there || places.length === 0) transaction.putEntry(writing, bury(',
    killedBy: 'store/memory-conformance.test.js',
    test: 'an unknown token that is revoked again outlives the old key',
  },
  {
    promise: 5,
    name: 'a lowered lease is forgotten at once',
    file: CHANGE_BOUNDS,
    find: 'former: { ...former, leasesEndMs: keepFormer(former.leasesEndMs, storeTimeMs, longest.leaseMs, leaseMs) },',
    replace: 'former,',
    killedBy: 'store/memory-conformance.test.js',
    test: 'a lowered lease is waited for',
  },
  {
    promise: 1,
    name: 'longer tokens are let in before what is revoked lasts for them',
    file: CHANGE_BOUNDS,
    find: 'while (await engine.extend(endMs))',
    replace: 'while (false)',
    killedBy: 'store/change-bounds.test.js',
    test: 'may be cut off at every step',
  },
  {
    promise: 1,
    name: 'a lowered max_token_ttl lets a revocation end before the tokens that are there',
    file: CHANGE_BOUNDS,
    find: 'keepFormer(former.tokensEndMs, storeTimeMs, longest.tokenTtlMs, maxTokenTtlMs)',
    replace: '0',
    killedBy: 'store/memory-conformance.test.js',
    test: 'what is revoked lasts for the longer ones',
  },
  {
    promise: 1,
    name: 'a token of before a forgotten revocation is let in once max_token_ttl is raised',
    file: '/src/store/store-rules.js',
    find: 'if (issueInstantMs < oldestIssueMs && expMs > view.storeTimeMs)',
    replace: 'if (false)',
    killedBy: 'store/memory-conformance.test.js',
    test: 'may be older than a forgotten revocation',
  },
];
