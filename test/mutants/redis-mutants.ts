// Of mutants.ts: the Redis engine and its connection.
import type { Mutant } from './mutants.js';

export const REDIS_MUTANTS: readonly Mutant[] = [
  {
    promise: 6,
    name: 'the commit script on Redis does not look whether an entry changed',
    file: '/src/store/redis-scripts.js',
    find: "if (redis.call('GET', KEYS[i]) or '') ~= ARGV[at] then return {'conflict'} end",
    replace: '',
    killedBy: 'store/redis-scripts.test.js',
    test: 'an entry came',
  },
  {
    promise: 4,
    name: 'a Redis that was not found fit is believed',
    file: '/src/store/redis-trust.js',
    find: 'if (fault !== undefined)\n                throw fault;',
    replace: '',
    killedBy: 'store/redis-faults.test.js',
    test: 'nothing is answered until it is right',
  },
  {
    promise: 6,
    name: 'the commit script on Redis runs after its caller has given up',
    file: '/src/store/redis-scripts.js',
    find: "then return {'late'} end",
    replace: 'then local late = true end',
    killedBy: 'store/redis-slow-faults.test.js',
    test: 'CLIENT PAUSE WRITE',
  },
  {
    promise: 6,
    name: 'offline queue on: what Redis was not there for happens later',
    file: '/src/store/redis-connection.js',
    find: 'enableOfflineQueue: false',
    replace: 'enableOfflineQueue: true',
    killedBy: 'store/redis-connection.test.js',
    test: 'while Redis is away',
  },
  {
    promise: 6,
    // Either of the two is enough, so both are taken out.
    name: 'what was under way when Redis was lost is sent again',
    file: '/src/store/redis-connection.js',
    find: 'autoResendUnfulfilledCommands: false,\n    maxRetriesPerRequest: 0,',
    replace: 'autoResendUnfulfilledCommands: true,',
    killedBy: 'store/redis-connection.test.js',
    test: 'is not sent again',
  },
  {
    promise: 1,
    name: 'a place in the log of Redis that is gone is no reset',
    file: '/src/store/redis-reader.js',
    find: "id.toString('latin1') !== position.id || !position.random.equals(value.subarray(0, 8))",
    replace: 'false',
    killedBy: 'promises/redis-log-lost.test.js',
    test: 'trimmed beyond the cursor',
  },
];
