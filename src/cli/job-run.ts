// What happens around a job: signals, waiting, the last words.
import type { IntrospectionError } from '@introspectd/client';
import type { InputFile } from './batch-input.js';
import type { ExitCode } from './cli-error.js';
import { type JobRequest, runJob } from './job.js';
import type { Counts, Ledger } from './job-ledger.js';
import { type Progress, startProgress } from './progress.js';
import { isInShard, type Shard } from './shard.js';
import { printNote } from './terminal.js';

export interface JobSignals {
  /** No more rows are taken. */
  readonly stop: AbortSignal;
  /** Nothing is waited for any more. */
  readonly end: AbortSignal;
}

const NOTE_EVERY_MS = 10_000;

/** The first Ctrl-C lets what is on its way arrive, within the time; the second ends the process. */
export function catchSignals(timeoutMs: number): JobSignals {
  const [stop, end] = [new AbortController(), new AbortController()];
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      stop.abort();
      setTimeout(() => end.abort(), timeoutMs).unref();
    });
  }
  return { stop: stop.signal, end: end.signal };
}

export type RetryNote = (error: IntrospectionError) => void;

/** Says that the daemon is waited for: at once, then every 10 s. */
export function createRetryNote(note: (text: string) => void): RetryNote {
  let nextMs = 0;
  return ({ code, reason, message }) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + NOTE_EVERY_MS;
    note(`waiting for the daemon: ${code}${reason === undefined ? '' : ` (${reason})`}: ${message}`);
  };
}

export function startJobProgress(
  files: readonly InputFile[],
  shard: Shard | undefined,
  { position }: Ledger,
): Progress {
  const total = files.reduce((bytes, file) => bytes + file.bytes, 0);
  const before = files.slice(0, position.file).reduce((bytes, file) => bytes + file.bytes, 0);
  // Those of other shards count as read when they are passed by.
  return startProgress(files.length > 1 && !files.some((_, index) => isInShard(shard, index)) ? 0 : total, before);
}

export interface JobWords {
  /** Whether there is a checkpoint. */
  readonly resumable: boolean;
  readonly describe: (counts: Counts) => string;
  /** What the output ends with. */
  readonly summarize?: (counts: Counts) => string;
}

/** Works it off, prints what came of it, and says with the exit code whether every row was answered. */
export async function finishJob<Value, Outcome>(
  request: JobRequest<Value, Outcome>,
  { resumable, describe, summarize = () => '' }: JobWords,
): Promise<ExitCode> {
  const { ledger, progress } = request;
  const goOn = resumable ? '. Not at its end; go on: the same command with --resume' : '. Not at its end';
  try {
    const isComplete = await runJob(request);
    progress.stop();
    printNote(`${describe(ledger.counts)}${isComplete ? '' : goOn}`);
    if (!isComplete) return 1;
    await ledger.record({ output: summarize(ledger.counts), rejected: [], counts: {} }, ledger.position);
    await ledger.save({ done: true });
    return toExitCode(ledger.counts);
  } catch (error) {
    progress.stop();
    printNote(`${describe(ledger.counts)}${goOn}`);
    throw error;
  } finally {
    await ledger.close();
  }
}

/** Of a job that is done already. */
export function toExitCode({ rejected = 0 }: Counts): ExitCode {
  return rejected === 0 ? 0 : 1;
}
