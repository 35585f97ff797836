// introspectd batch: is each of these tokens good now? For millions of them; it can stop at any instant and go on.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { AnswerFormat } from './answer-text.js';
import { type BatchJob, runBatch } from './batch-run.js';
import { CliError, type ExitCode } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions } from './connection.js';
import { addJobOptions, type JobOptions } from './job-options.js';
import { collectOption } from './parse-option.js';
import type { InputFormat } from './token-rows.js';

export interface BatchOptions extends ConnectionOptions, JobOptions {
  readonly format?: InputFormat;
  readonly field: string;
  readonly idField?: string;
  readonly out?: string;
  readonly output: AnswerFormat;
  readonly claims?: string;
  readonly audience?: readonly string[];
  readonly writeTokensInClear?: true;
  readonly revoke?: true;
  readonly dryRun?: true;
  readonly reason?: string;
  readonly yes?: true;
}

export function setUpBatch(command: Command, setExitCode: (code: ExitCode) => void): void {
  addJobOptions(command)
    .addOption(
      new Option(
        '--format <format>',
        "how a line holds its token; when not given, by the file's name, else lines",
      ).choices(['lines', 'ndjson', 'csv']),
    )
    .option(
      '--field <name>',
      'field of NDJSON, or column of CSV, with the token; a number where there are no names',
      'token',
    )
    .option('--id-field <name>', 'field or column that is repeated in the output')
    .option('--out <path>', 'new file for the answers; needed for --resume', undefined)
    .addOption(
      new Option('--output <format>', 'how answers are written')
        .choices(['ndjson', 'csv', 'summary'])
        .default('ndjson'),
    )
    .option('--claims <names>', 'claims in the answers, such as sub,scope; "" for none')
    .option('--audience <aud>', 'tokens must be meant for this audience; may be repeated', collectOption)
    .option('--write-tokens-in-clear', 'DANGEROUS: write the tokens themselves into the output')
    .option('--revoke', 'revoke every token of the list that is active; asks before it does')
    .option('--dry-run', 'with --revoke: only count them')
    .option('--reason <text>', "with --revoke: for the daemon's audit log; never a token")
    .option('--yes', 'with --revoke: do not ask');
  addConnectionOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: BatchOptions) => setExitCode(await batch(options)));
}

const EXAMPLES = `
Every line has one answer, in the order of the input, or stands among the rejects (PATH of --out and .rejects).
Exit code 0: every line was answered. 1: not every line. 2: asked for in a way that cannot work.
Needs the permission "stream"; --revoke also "token" in the caller's revoke list.

  introspectd batch --as certs/auditor --file tokens.txt.gz --out answers.ndjson
  introspectd batch --as certs/auditor --file dump.csv --field access_token --id-field user --output csv
  introspectd batch --as certs/auditor --file shards/ --shard 3/16 --out part-3.ndjson --resume
  introspectd batch --as certs/security --file leaked.txt --revoke --out report.ndjson`;

async function batch(options: BatchOptions): Promise<ExitCode> {
  return runBatch(options, toJob(options));
}

function toJob(options: BatchOptions): BatchJob {
  const { file, format = guessFormat(file), field, idField, revoke = false, dryRun = false, out, claims } = options;
  const isStdin = file === undefined || file === '-';
  const onlyRevoke = { '--dry-run': options.dryRun, '--yes': options.yes, '--reason': options.reason };
  for (const [flag, value] of Object.entries(onlyRevoke)) {
    if (value !== undefined && !revoke) throw new CliError(2, `${flag} goes with --revoke`);
  }
  if (idField !== undefined && format === 'lines') throw new CliError(2, '--id-field goes with NDJSON and CSV');
  if (revoke && isStdin) throw new CliError(2, '--revoke reads the list twice, so it needs --file PATH');
  if (revoke && !dryRun && out === undefined) throw new CliError(2, '--revoke needs --out PATH, for its report');
  if (options.resume && isStdin) throw new CliError(2, '--resume needs --file PATH: stdin cannot be read again');
  if (options.resume && out === undefined) throw new CliError(2, '--resume needs --out PATH');
  return {
    fields: { format, field, idField },
    claims:
      claims === undefined
        ? undefined
        : claims
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== ''),
    mode: revoke ? (dryRun ? 'count' : 'revoke') : 'ask',
  };
}

function guessFormat(file = ''): InputFormat {
  const name = file.toLowerCase().replace(/\.(gz|zst)$/, '');
  if (/\.(ndjson|jsonl)$/.test(name)) return 'ndjson';
  return name.endsWith('.csv') ? 'csv' : 'lines';
}
