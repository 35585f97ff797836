import type { Command } from 'commander';
import type { ExitCode } from './cli-error.js';
import { printData } from './terminal.js';

export function addDemoCommand(program: Command, setExitCode: (code: ExitCode) => void): void {
  program
    .command('demo')
    .description('Start a daemon in a temporary folder, use it as an issuer and services would, and check the answers.')
    .option('--keep', 'leave it running, and print commands to try')
    .action(async ({ keep }: { readonly keep?: true }) => {
      const { runDemo } = await import('./demo.js');
      const wrong = await runDemo({ afterwards: keep ? 'keep' : 'remove', print: (line) => void printData(line) });
      setExitCode(wrong === 0 ? 0 : 1);
    });
}
