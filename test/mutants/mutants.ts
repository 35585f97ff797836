// The mechanisms, one row each. `find` is text of the compiled file, there exactly once.

export interface Mutant {
  /** Of DESIGN §9. */
  readonly promise: number;
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The test file that must go red, and the name of the test in it. */
  readonly killedBy: string;
  readonly test: string;
}

const JUDGE = '/src/core/judge.js';
const FENCE = '/src/core/fence.js';

export const MUTANTS: readonly Mutant[] = [
  {
    promise: 3,
    name: 'exp judged by the server’s clock alone',
    file: JUDGE,
    find: 'Math.max(storeTimeMs, serverTimeMs)',
    replace: 'serverTimeMs',
    killedBy: 'core/judge.test.js',
    test: 'exp with the store 0 ms',
  },
  {
    promise: 3,
    name: 'exp judged by the store’s clock alone',
    file: JUDGE,
    find: 'Math.max(storeTimeMs, serverTimeMs)',
    replace: 'storeTimeMs',
    killedBy: 'core/judge.test.js',
    test: 'exp with the store -5000 ms',
  },
  {
    promise: 1,
    name: 'a reply that was sent before a reset is believed',
    file: FENCE,
    find: 'if (epochAtSend !== epoch || reloading !== undefined)',
    replace: 'if (false)',
    killedBy: 'core/fence.test.js',
    test: 'discards and retries',
  },
  {
    promise: 1,
    name: 'the cursor moves back',
    file: FENCE,
    find: 'if (order > accepted)',
    replace: 'if (true)',
    killedBy: 'core/fence.test.js',
    test: 'never moves the cursor back',
  },
  {
    promise: 1,
    name: 'a full page is taken for the whole log',
    file: FENCE,
    find: 'if (reply.more)',
    replace: 'if (false)',
    killedBy: 'core/fence.test.js',
    test: 'reads again after a full page',
  },
  {
    promise: 1,
    name: 'the last revocation of a tag wins, not the broadest',
    file: '/src/core/revocation-table.js',
    find: 'Math.max(known, beforeMs)',
    replace: 'beforeMs',
    killedBy: 'core/revocation-table.test.js',
    test: 'keeps the broadest',
  },
];
