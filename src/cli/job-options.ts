// Options that batch and import share: where rows come from, how fast they go, where a job is kept.
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { durationOption, parseCountOption } from './parse-option.js';
import { addFileOption } from './read-input.js';
import { parseShardOption, type Shard } from './shard.js';

export interface JobOptions {
  readonly file?: string;
  readonly rejects?: string;
  readonly resume?: true;
  readonly shard?: Shard;
  readonly rate?: number;
  readonly concurrency: number;
  readonly chunk: number;
  /** Milliseconds. */
  readonly checkpoint: number;
  /** Milliseconds. */
  readonly patience: number;
}

const DEFAULTS = { concurrency: 4, chunk: 500, checkpointMs: 2_000, patienceMs: 600_000 };

export function addJobOptions(command: Command): Command {
  return addFileOption(command, 'file, or folder of files, one row a line; gzip, or zstd where Node has it')
    .option('--rejects <path>', 'new file for the lines that could not be answered: line number and reason')
    .option('--resume', 'go on where the job stopped, or begin it')
    .option(
      '--shard <i/n>',
      'part i (from 0) of n: every n-th file of a folder, every n-th line of a file',
      parseShardOption,
    )
    .option('--rate <count>', 'rows in a second, at most', parseRate)
    .option('--concurrency <count>', 'chunks on their way at once', parseCountOption, DEFAULTS.concurrency)
    .option(
      '--chunk <count>',
      'rows in a chunk; at most what the daemon takes in one call',
      parseCountOption,
      DEFAULTS.chunk,
    )
    .addOption(durationOption('--checkpoint', 'how often a checkpoint is written').default(DEFAULTS.checkpointMs, '2s'))
    .addOption(
      durationOption('--patience', 'how long to go on while the daemon gives no answer').default(
        DEFAULTS.patienceMs,
        '10m',
      ),
    );
}

/** A chunk of a slow job is small, so that it goes evenly. */
export function pickChunkRows({ chunk, rate }: JobOptions): number {
  return rate === undefined ? chunk : Math.max(1, Math.min(chunk, Math.ceil(rate / 10)));
}

function parseRate(text: string): number {
  const rate = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (rate === 0) throw new InvalidArgumentError('Expected rows in a second, a whole number from 1.');
  return rate;
}
