import type { Command } from 'commander';
import { CliError, type ExitCode } from './cli-error.js';
import { printData } from './terminal.js';

export function setUpDemo(command: Command, setExitCode: (code: ExitCode) => void): void {
  command
    .option('--keep', 'leave it running, and print commands to try')
    .action(async ({ keep }: { readonly keep?: true }) => {
      const { runDemo } = await import('./demo.js');
      const interrupted = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) {
        process.once(name, () => interrupted.abort(new CliError(1, 'interrupted; nothing is left behind')));
      }
      const wrong = await runDemo({
        afterwards: keep ? 'keep' : 'remove',
        print: (line) => void printData(line),
        signal: interrupted.signal,
      });
      setExitCode(wrong === 0 ? 0 : 1);
    });
}
