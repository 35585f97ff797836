// Before what cannot be taken back: says what it is, and goes on only when its name is typed.
import { createInterface } from 'node:readline';
import { CliError } from './cli-error.js';
import { printNote } from './terminal.js';

export interface Confirmation {
  /** What will happen, as a sentence. */
  readonly warning: string;
  /** What must be typed. */
  readonly name: string;
}

/** Throws CliError when it is not confirmed, and where there is no terminal to ask on. */
export async function confirm({ warning, name }: Confirmation): Promise<void> {
  printNote(warning);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError(2, 'there is no terminal to confirm this on; nothing was revoked. If it is meant, add --yes.');
  }
  const typed = await ask(`Type ${JSON.stringify(name)}, without the quotes, to go on: `);
  if (typed?.trim() !== name) throw new CliError(2, 'that is not it; nothing was revoked');
}

/** Undefined when it was ended, by Ctrl-C or Ctrl-D. */
function ask(question: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.once('SIGINT', () => terminal.close());
    terminal.once('close', () => resolve(undefined));
    terminal.question(question, (typed) => {
      resolve(typed);
      terminal.close();
    });
  });
}
