// The mechanisms, one row each. `find` is text of the compiled file, there exactly once.
import { ENVOY_MUTANTS } from './envoy-mutants.js';
import { HISTORY_MUTANTS } from './history-mutants.js';
import { HOT_PATH_MUTANTS } from './hot-path-mutants.js';
import { JOB_MUTANTS } from './job-mutants.js';
import { REDIS_MUTANTS } from './redis-mutants.js';
import { REVOKE_MUTANTS } from './revoke-mutants.js';
import { STORE_MUTANTS } from './store-mutants.js';
import { STREAM_MUTANTS } from './stream-mutants.js';
import { WATCH_MUTANTS } from './watch-mutants.js';

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

export const MUTANTS: readonly Mutant[] = [
  ...WATCH_MUTANTS,
  ...STREAM_MUTANTS,
  ...HOT_PATH_MUTANTS,
  {
    promise: 1,
    name: 'the tombstone is not written',
    file: '/src/store/store-rules.js',
    find: 'transaction.putEntry(writing, bury(transaction, replaced ?? encodeUnknownTombstone(), there));',
    replace: '',
    killedBy: 'promises/revoked-stays-revoked.test.js',
    test: 'is dead on another daemon',
  },
  {
    promise: 1,
    name: 'the store is read as a deny list: not there = active',
    file: JUDGE,
    find: "if (entry === undefined)\n        return inactive('NOT_FOUND');",
    replace: 'if (entry === undefined) return { active: true, claims: new Uint8Array(), mask: 0 };',
    killedBy: 'core/judge.test.js',
    test: 'never registered',
  },
  {
    promise: 2,
    name: 'a tombstone can be registered over',
    file: '/src/store/store-rules.js',
    find: "if (places.some(({ bytes }) => decodeEntry(bytes).kind === 'tombstone'))\n        return { outcome: 'revoked' };",
    replace: 'places.length = 0;',
    killedBy: 'promises/revoked-stays-revoked.test.js',
    test: 'cannot be registered again',
  },
  {
    promise: 4,
    name: 'a store error is answered "inactive"',
    file: '/src/core/introspect.js',
    find: 'await batcher.read()',
    replace: 'await batcher.read().catch(() => ({ entries: [undefined], storeTimeMs: 0 }))',
    killedBy: 'promises/doubt.test.js',
    test: 'every call fails',
  },
  {
    promise: 8,
    name: 'the policy allows by default',
    file: '/src/core/policy.js',
    find: 'if (!caller.permissions.has(permission))',
    replace: 'if (false)',
    killedBy: 'promises/only-trusted-callers.test.js',
    test: 'one without the permission',
  },
  {
    promise: 8,
    name: 'a caller that the policy does not know is taken for one it knows',
    file: '/src/core/policy.js',
    find: 'const matches = new Set(identities.flatMap((identity) => callers.get(identity) ?? []));',
    replace: 'const matches = new Set([...callers.values()].slice(0, 1));',
    killedBy: 'promises/only-trusted-callers.test.js',
    test: 'one that the policy does not know',
  },
  {
    promise: 8,
    name: 'a client certificate that was not verified is believed',
    file: '/src/grpc/peer.js',
    find: 'socket.authorized !== true',
    replace: 'false',
    killedBy: 'grpc/callers.test.js',
    test: 'refuses a certificate that is there and was not verified',
  },
  {
    promise: 8,
    name: 'a reload forgets the lowest TLS version',
    file: '/src/grpc/credentials.js',
    find: 'this.updateSecureContextOptions(toContextOptions(material));',
    replace:
      'const { minVersion, maxVersion, ...rest } = toContextOptions(material); this.updateSecureContextOptions(rest);',
    killedBy: 'grpc/callers.test.js',
    test: 'again after the credentials were replaced',
  },
  {
    promise: 8,
    name: 'a reload forgets the revocation list',
    file: '/src/grpc/credentials.js',
    find: 'this.updateSecureContextOptions(toContextOptions(material));',
    replace: 'const { crl, ...rest } = toContextOptions(material); this.updateSecureContextOptions(rest);',
    killedBy: 'grpc/callers.test.js',
    test: 'again after the credentials were replaced',
  },
  {
    promise: 8,
    name: 'an open connection keeps the policy that it began with',
    file: '/src/grpc/peer.js',
    find: 'connection.policy !== current',
    replace: 'false',
    killedBy: 'grpc/callers.test.js',
    test: 'holds for the next call of an open connection',
  },
  {
    promise: 8,
    name: 'the conditions of a caller are not asked at a call',
    file: '/src/grpc/peer.js',
    find: 'checkConditions(connection.caller.conditions, connection.address, now());',
    replace: '',
    killedBy: 'grpc/caller-conditions.test.js',
    test: 'is held to the conditions at every call',
  },
  {
    promise: 8,
    name: 'the audience of a token is ignored',
    file: JUDGE,
    find: 'if (!isMeantFor(entry.aud, question))',
    replace: 'if (false)',
    killedBy: 'core/judge.test.js',
    test: 'for another audience',
  },
  {
    promise: 8,
    name: 'a refresh token is accepted at a resource server',
    file: JUDGE,
    find: 'if (!caller.tokenUse.has(entry.tokenUse))',
    replace: 'if (false)',
    killedBy: 'core/judge.test.js',
    test: 'a refresh token at a resource server',
  },
  {
    promise: 8,
    name: 'the issuer of a token is ignored',
    file: JUDGE,
    find: 'if (!caller.issuers.has(entry.iss))',
    replace: 'if (false)',
    killedBy: 'core/judge.test.js',
    test: 'of an issuer that is not the caller',
  },
  {
    promise: 7,
    name: 'the call log writes the token instead of its digest',
    file: '/src/telemetry/call-log.js',
    find: 'digestToken(',
    replace: '((token) => token)(',
    killedBy: 'promises/canary.test.js',
    test: 'are in no log',
  },
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
    name: 'the last revocation of a tag wins, not the broadest',
    file: '/src/core/revocation-table.js',
    find: 'Math.max(known, beforeMs)',
    replace: 'beforeMs',
    killedBy: 'core/revocation-table.test.js',
    test: 'keeps the broadest',
  },
  {
    promise: 2,
    name: 'a page of the revocation table that is split keeps half of its entries',
    file: '/src/core/revocation-page.js',
    find: '(head & bit) === 0 ? page : upper',
    replace: '(head & bit) === 0 ? page : undefined',
    killedBy: 'core/revocation-table.test.js',
    test: 'forgets nothing by growth',
  },
  {
    promise: 2,
    name: 'pages of the revocation table that expiry makes fewer take their entries along',
    file: '/src/core/revocation-table.js',
    find: 'mergePages(page, lower);',
    replace: '',
    killedBy: 'core/revocation-table.test.js',
    test: 'keeps every survivor',
  },
  {
    promise: 2,
    name: 'a revocation that is seen again expires as if it were not',
    file: '/src/core/revocation-table.js',
    find: 'Math.max(knownSeen, seenSeconds)',
    replace: 'knownSeen || seenSeconds',
    killedBy: 'core/revocation-table.test.js',
    test: 'forgets only what was last seen',
  },
  {
    promise: 1,
    name: 'a tombstone without its log entry',
    file: '/src/store/store-rules.js',
    find: "let revision = transaction.appendLog({ kind: 'token', tag: tokenTag, beforeMs: END_OF_TIME_MS, issuerTag });",
    replace: "let revision = '';",
    killedBy: 'store/memory-conformance.test.js',
    test: 'puts the tombstone in place of the record',
  },
  ...ENVOY_MUTANTS,
  ...HISTORY_MUTANTS,
  ...JOB_MUTANTS,
  ...REDIS_MUTANTS,
  ...REVOKE_MUTANTS,
  ...STORE_MUTANTS,
];
