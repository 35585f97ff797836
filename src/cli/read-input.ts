// Where tokens come from: a file or stdin, never the command line.
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { CliError } from './cli-error.js';
import { type InputLine, splitLines } from './split-lines.js';
import { printNote } from './terminal.js';

const WHY_NOT_ARGV = [
  'tokens are not taken from the command line: they would stand in the process list and in the shell history.',
  'Pipe them in, or give a file: --file PATH (one per line; "-" is stdin).',
] as const;

/** --file, and a trap for tokens on the command line. */
export function addInputOptions(command: Command, what: string): Command {
  return addFileOption(command, `file with ${what}`);
}

export function addFileOption(command: Command, what: string): Command {
  return command
    .option('--file <path>', `${what}; "-" is stdin, which is also the default`)
    .addOption(new Option('--token <token>').hideHelp().argParser(refuseTokenOnArgv))
    .argument('[nothing...]')
    .usage('[options]')
    .hook('preAction', (_, action) => {
      if (action.args.length > 0) refuseTokenOnArgv();
    });
}

/** The lines that hold something. */
export async function* readInput(file: string | undefined, what: string): AsyncGenerator<InputLine> {
  const isStdin = file === undefined || file === '-';
  if (isStdin && process.stdin.isTTY) printNote(`Reading ${what} from the terminal; end with Ctrl-D.`);
  try {
    yield* splitLines(isStdin ? process.stdin : createReadStream(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new CliError(2, `--file ${isStdin ? '-' : file} cannot be read (${code})`);
  }
}

function refuseTokenOnArgv(): never {
  throw new CliError(2, ...WHY_NOT_ARGV);
}
