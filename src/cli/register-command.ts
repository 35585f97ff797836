// introspectd register: makes tokens known, from lines of JSON, one result line each.
import { type IntrospectionClient, IntrospectionError } from '@introspectd/client';
import {
  type TokenEntry,
  TokenRegistryServiceService,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import type { Command } from 'commander';
import { callMethod, fromItemStatus } from './call-method.js';
import { LineFault } from './claims-json.js';
import type { ExitCode } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { outputOption, parseCountOption } from './parse-option.js';
import { addInputOptions, readInput } from './read-input.js';
import { parseRegistrationLine } from './registration-line.js';
import type { InputLine } from './split-lines.js';
import { formatRows, type OutputFormat, printData, printNote, type Row } from './terminal.js';

/** Of a daemon that was not configured otherwise (limits.register_items). */
const DEFAULT_BATCH = 500;
/** A request must stay under the 4 MiB of a gRPC message; lines of JSON are longer than what they become. */
const MAX_BATCH_CHARACTERS = 3 * 1024 * 1024;

interface RegisterOptions extends ConnectionOptions {
  readonly file?: string;
  readonly batch: number;
  readonly output: OutputFormat;
}

interface ParsedLine {
  readonly number: number;
  /** What is wrong with the line, instead of an entry. */
  readonly parsed: TokenEntry | LineFault;
}

export function setUpRegister(command: Command, setExitCode: (code: ExitCode) => void): void {
  addInputOptions(command, 'one JSON object a line');
  addConnectionOptions(command)
    .option(
      '--batch <count>',
      'lines in one call; at most limits.register_items of the daemon',
      parseCountOption,
      DEFAULT_BATCH,
    )
    .addOption(outputOption('ndjson as it goes; json or table at the end').default('ndjson'))
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: RegisterOptions) => setExitCode(await register(options)));
}

const EXAMPLES = `
A line, here broken in two:
  {"token":"...","claims":{"iss":"https://login.example","iat":1767225600,"exp":1767229200,
   "token_use":"access_token","aud":["https://orders.example"],"sub":"alice","scope":"read"}}
Instead of "token": "token_sha256", 64 lower-case hex characters. If known: "issued_at_ms".
One result line each, in order; exit code 1 when any failed. The same again changes nothing.

  introspectd register --as certs/issuer --file tokens.ndjson`;

async function register(options: RegisterOptions): Promise<ExitCode> {
  const counts = { done: 0, failed: 0 };
  const atTheEnd: Row[] = [];
  const report = async (rows: readonly Row[]): Promise<void> => {
    for (const { status } of rows) counts[status === 'OK' ? 'done' : 'failed']++;
    if (options.output === 'ndjson') await printData(formatRows(rows, 'ndjson'));
    else atTheEnd.push(...rows);
  };
  try {
    await withConnection(options, async ({ client, timeoutMs }) => {
      for await (const lines of toBatches(readInput(options.file, 'one JSON object a line'), options.batch)) {
        await registerBatch(client, lines, timeoutMs, report);
      }
    });
  } finally {
    if (options.output !== 'ndjson') await printData(formatRows(atTheEnd, options.output));
    printNote(`${counts.done} registered, ${counts.failed} failed`);
  }
  return counts.failed === 0 ? 0 : 1;
}

async function* toBatches(input: AsyncIterable<InputLine>, maxLines: number): AsyncGenerator<readonly ParsedLine[]> {
  let lines: ParsedLine[] = [];
  let characters = 0;
  for await (const { number, text } of input) {
    characters += text?.length ?? 0;
    if (lines.length === maxLines || characters > MAX_BATCH_CHARACTERS) {
      yield lines;
      lines = [];
      characters = text?.length ?? 0;
    }
    lines.push({ number, parsed: parseLine(text) });
  }
  if (lines.length > 0) yield lines;
}

function parseLine(text: string | undefined): TokenEntry | LineFault {
  if (text === undefined) return new LineFault('too long, or not UTF-8');
  try {
    return parseRegistrationLine(text);
  } catch (error) {
    if (error instanceof LineFault) return error;
    throw error;
  }
}

/** A failed call leaves its lines with its error: nobody knows whether they were registered, and trying again is safe. */
async function registerBatch(
  client: IntrospectionClient,
  lines: readonly ParsedLine[],
  timeoutMs: number,
  report: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  const entries = lines.flatMap(({ parsed }) => (parsed instanceof LineFault ? [] : parsed));
  try {
    const outcomes = entries.length === 0 ? [] : await registerEntries(client, entries, timeoutMs);
    let at = 0;
    await report(lines.map((line) => toRow(line, line.parsed instanceof LineFault ? undefined : outcomes[at++])));
  } catch (error) {
    if (error instanceof IntrospectionError) await report(lines.map((line) => toRow(line, error)));
    throw error;
  }
}

async function registerEntries(client: IntrospectionClient, entries: TokenEntry[], timeoutMs: number) {
  const { results } = await callMethod(client, TokenRegistryServiceService.registerTokens, { entries }, timeoutMs);
  if (results.length !== entries.length) throw new IntrospectionError('INTERNAL', 'not one result for every entry');
  return results.map(({ status }) => {
    // A result without a status says nothing, and nothing is not OK.
    if (status === undefined) return new IntrospectionError('INTERNAL', 'a result without a status');
    return status.code === 0 ? undefined : fromItemStatus(status);
  });
}

/** `error` undefined = registered. */
function toRow({ number, parsed }: ParsedLine, error: IntrospectionError | undefined): Row {
  if (parsed instanceof LineFault) return { line: number, status: 'INVALID_ARGUMENT', message: parsed.message };
  if (error === undefined) return { line: number, status: 'OK' };
  const { code, reason, message, violations } = error;
  const row = { line: number, status: code, reason, message };
  return violations.length === 0 ? row : { ...row, violations };
}
