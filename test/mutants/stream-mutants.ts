// Of mutants.ts: streams of chunks, imports and priorities.
import type { Mutant } from './mutants.js';

const CHUNKS = '/src/grpc/chunk-stream.js';
const STREAMS = 'streams/introspect-stream.test.js';
const BOUNDS = 'streams/bounds.test.js';
const IMPORTS = 'streams/import-stream.test.js';
const PRIORITY = 'streams/priority.test.js';

export const STREAM_MUTANTS: readonly Mutant[] = [
  {
    promise: 1,
    name: 'a chunk is judged without what the log says',
    file: '/src/core/fence.js',
    find: 'table.apply(broad, reply.storeTimeMs);',
    replace: '',
    killedBy: STREAMS,
    test: 'a revoked token is not active in any chunk sent after the acknowledgement',
  },
  {
    promise: 8,
    name: 'a chunk is answered although the caller may not stream',
    file: '/src/grpc/stream-call.js',
    find: 'work.authorize(caller);',
    replace: '',
    killedBy: IMPORTS,
    test: 'takes a permission',
  },
  {
    promise: 8,
    name: 'large batches and chunks are not charged by token',
    file: '/src/core/rates.js',
    find: "many: async (command, items, pace) => {\n            charge(rates, command.caller, 'tokens', items.length);",
    replace: 'many: async (command, items, pace) => {',
    killedBy: STREAMS,
    test: 'is charged by token',
  },
  {
    promise: 6,
    name: 'a stream reads on while its client does not',
    file: CHUNKS,
    find: 'await sent;\n        tally.count',
    replace: 'tally.count',
    killedBy: BOUNDS,
    test: 'a client that never reads is not read from',
  },
  {
    promise: 6,
    name: 'a dry run writes',
    file: '/src/core/register.js',
    find: 'rehearse: by((entries) => store.wouldRegister(entries)),',
    replace: 'rehearse: by((entries) => store.register(entries)),',
    killedBy: IMPORTS,
    test: 'a dry run says the same and writes nothing',
  },
  {
    promise: 4,
    name: 'a stream that drains drops what it took',
    file: CHUNKS,
    find: 'windsDown: true,',
    replace: '',
    killedBy: PRIORITY,
    test: 'a drain answers the chunk that is under way',
  },
  {
    promise: 4,
    name: 'a large batch keeps its place among live calls',
    file: '/src/grpc/introspection-service.js',
    find: 'call.moveTo(bulk.room);',
    replace: '',
    killedBy: PRIORITY,
    test: 'take no room from live calls',
  },
  {
    promise: 4,
    name: 'low priority does not wait for live calls',
    file: '/src/core/low-priority.js',
    find: 'if (liveCalls() > 0 && nowMs - lastTurnMs < STARVED_AFTER_MS)',
    replace: 'if (false)',
    // On a clock of its own: how long slices take says nothing on a busy machine.
    killedBy: 'core/low-priority.test.js',
    test: 'waits while a live call is under way',
  },
];
