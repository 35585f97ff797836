// introspectd revoke: from now on nobody is told that this token is active.
import type { Command } from 'commander';
import { CliError } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { outputOption } from './parse-option.js';
import { addInputOptions, readInput } from './read-input.js';
import { formatRows, type OutputFormat, printData } from './terminal.js';

interface RevokeOptions extends ConnectionOptions {
  readonly file?: string;
  readonly reason?: string;
  readonly output: OutputFormat;
}

export function setUpRevoke(command: Command): void {
  addInputOptions(command, 'the token');
  addConnectionOptions(command)
    .option('--reason <text>', "for the daemon's audit log, 256 bytes at most; never the token")
    .addOption(outputOption('how the result is written').default('json'))
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: RevokeOptions) => revoke(options));
}

const EXAMPLES = `
Unknown and already revoked tokens end with 0 alike.
Exit code 1: it may have taken place or not; repeat it, that does no harm.

  echo "$TOKEN" | introspectd revoke --as certs/issuer --reason "lost laptop"`;

async function revoke(options: RevokeOptions): Promise<void> {
  const token = await readOneToken(options.file);
  const call = options.reason === undefined ? {} : { reason: options.reason };
  const { revision } = await withConnection(options, ({ client }) => client.revoke(token, call));
  await printData(formatRows([{ revoked: true, revision }], options.output));
}

async function readOneToken(file: string | undefined): Promise<string> {
  const tokens: string[] = [];
  for await (const { text } of readInput(file, 'the token')) {
    if (text === undefined) throw new CliError(2, 'that is no token: too long, or not text');
    if (tokens.push(text) > 1) throw new CliError(2, 'more than one line; revoke takes one token, nothing was revoked');
  }
  const [token] = tokens;
  if (token === undefined) throw new CliError(2, 'no token: the input is empty');
  return token;
}
