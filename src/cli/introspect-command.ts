// introspectd introspect: is this token good now, and what may I know about it?
import { IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import type { Command } from 'commander';
import { CliError, type ExitCode } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { collectOption, outputOption } from './parse-option.js';
import { addInputOptions, readInput } from './read-input.js';
import { formatRows, type OutputFormat, printData, type Row } from './terminal.js';

/** One request of a daemon that was not configured otherwise (limits.batch_tokens). */
const MAX_TOKENS = 1000;

interface IntrospectOptions extends ConnectionOptions {
  readonly file?: string;
  readonly audience?: readonly string[];
  readonly output?: OutputFormat;
}

export function setUpIntrospect(command: Command, setExitCode: (code: ExitCode) => void): void {
  addInputOptions(command, 'tokens, one per line');
  addConnectionOptions(command)
    .option('--audience <aud>', 'the token must be meant for this audience; may be repeated', collectOption)
    .addOption(outputOption('json for one token and ndjson for several, when not given'))
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: IntrospectOptions) => setExitCode(await introspect(options)));
}

const EXAMPLES = `
An inactive token is an answer, {"active":false}, with exit code 0. Exit code 1: there is no answer.
Several tokens are one batch call, ${MAX_TOKENS} at most; that needs the permission "batch".

  echo "$TOKEN" | introspectd introspect --as certs/orders
  introspectd introspect --as certs/orders --file tokens.txt --output table`;

async function introspect(options: IntrospectOptions): Promise<ExitCode> {
  const tokens = await readTokens(options.file);
  const call = options.audience === undefined ? {} : { audiences: options.audience };
  const outcomes = await withConnection(options, async ({ client }) => {
    const [first = ''] = tokens;
    return tokens.length === 1 ? [await client.introspect(first, call)] : await client.introspectMany(tokens, call);
  });
  const format = options.output ?? (tokens.length === 1 ? 'json' : 'ndjson');
  await printData(formatRows(outcomes.map(toRow), format));
  return outcomes.some((outcome) => outcome instanceof IntrospectionError) ? 1 : 0;
}

async function readTokens(file: string | undefined): Promise<readonly string[]> {
  const tokens: string[] = [];
  for await (const { number, text } of readInput(file, 'tokens, one per line')) {
    if (text === undefined) throw new CliError(2, `line ${number} is no token: too long, or not text`);
    if (tokens.push(text) > MAX_TOKENS) throw new CliError(2, `more than ${MAX_TOKENS} tokens; split the file`);
  }
  if (tokens.length === 0) throw new CliError(2, 'no token: the input is empty');
  return tokens;
}

function toRow(outcome: IntrospectionResult | IntrospectionError): Row {
  if (!(outcome instanceof IntrospectionError)) return { ...outcome };
  return { error: { code: outcome.code, reason: outcome.reason, message: outcome.message } };
}
