// introspectd import: makes millions of tokens known; it can stop at any instant and go on.
import type { Command } from 'commander';
import { CliError, type ExitCode } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions } from './connection.js';
import { runImport } from './import-run.js';
import { addJobOptions, type JobOptions } from './job-options.js';

export interface ImportOptions extends ConnectionOptions, JobOptions {
  readonly dryRun?: true;
}

export function setUpImport(command: Command, setExitCode: (code: ExitCode) => void): void {
  addJobOptions(command).option('--dry-run', 'check everything, register nothing');
  addConnectionOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: ImportOptions) => setExitCode(await startImport(options)));
}

const EXAMPLES = `
Lines of JSON as those of introspectd register: "token" or "token_sha256", "claims", perhaps "issued_at_ms".
What is registered already is so again, without a change: a job may be repeated.
Exit code 0: every line is registered. 1: not every line; --rejects says which. 2: cannot work as it was asked for.
Needs the permission "register". With --rejects PATH the checkpoint is PATH.checkpoint, and --resume goes on.

  introspectd import --as certs/issuer --file tokens.ndjson.gz --dry-run
  introspectd import --as certs/issuer --file tokens.ndjson.gz --rejects rejects.ndjson --resume`;

async function startImport(options: ImportOptions): Promise<ExitCode> {
  const { file, resume, rejects } = options;
  if (resume && (file === undefined || file === '-')) {
    throw new CliError(2, '--resume needs --file PATH: stdin cannot be read again');
  }
  if (resume && rejects === undefined) throw new CliError(2, '--resume needs --rejects PATH');
  return runImport(options);
}
