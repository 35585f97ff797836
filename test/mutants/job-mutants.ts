// The mechanisms of jobs over many tokens, as rows of mutants.ts.
import type { Mutant } from './mutants.js';

const STREAM = '/client/dist/chunk-stream.js';
const LEDGER = '/src/cli/job-ledger.js';

export const JOB_MUTANTS: readonly Mutant[] = [
  {
    promise: 4,
    name: 'an answer is taken for that of the oldest chunk',
    file: STREAM,
    find: 'jobs.find(({ id, isSent }) => id === chunkId && isSent)',
    replace: 'jobs.find(({ isSent }) => isSent)',
    killedBy: 'client/stream.test.js',
    test: 'keeps the order when chunks are answered in another',
  },
  {
    promise: 4,
    name: 'a chunk that was refused is answered with nothing',
    file: STREAM,
    find: 'else if (outcomes.length !== protocol.count(job.chunk))',
    replace: 'else if (false)',
    killedBy: 'client/stream.test.js',
    test: 'takes no answer that breaks the contract: too few outcomes',
  },
  {
    promise: 4,
    name: '"come back later" is not obeyed',
    file: STREAM,
    find: '(error.retryDelayMs ?? 0) + pickDelayMs',
    replace: 'pickDelayMs',
    killedBy: 'client/stream.test.js',
    test: 'obeys "come back later" of one chunk',
  },
  {
    promise: 4,
    name: 'a stream takes all there is',
    file: STREAM,
    find: 'while (jobs.length >= concurrency && failure === undefined)',
    replace: 'while (false)',
    killedBy: 'client/stream.test.js',
    test: 'takes items only as fast as the outcomes are read',
  },
  {
    promise: 6,
    name: 'what a checkpoint does not speak of stays in the output',
    file: '/src/cli/durable-file.js',
    find: 'await handle.truncate(bytes);',
    replace: '',
    killedBy: 'batch/job-ledger.test.js',
    test: 'what was recorded and not saved is cut off',
  },
  {
    promise: 6,
    name: 'a job goes on with another input',
    file: LEDGER,
    find: 'found.input !== (await fingerprintInputs(files, found.salt))',
    replace: 'false',
    killedBy: 'batch/job-ledger.test.js',
    test: 'nothing goes on that is not what was begun',
  },
  {
    promise: 6,
    name: 'tokens that were about to be revoked are forgotten',
    file: LEDGER,
    find: 'current = { ...current, ...state };',
    replace: 'current = { ...current, done: state.done ?? current.done };',
    killedBy: 'batch/job-ledger.test.js',
    test: 'what was recorded and not saved is cut off',
  },
];
