import type { Command } from 'commander';
import { addConfigOptions, type ConfigOptions } from './config-options.js';

export function setUpServe(command: Command): void {
  addConfigOptions(command)
    .addHelpText('after', ABOUT)
    .action(async (options: ConfigOptions) => {
      const { serveUntilSignal } = await import('./serve.js');
      await serveUntilSignal(options);
    });
}

const ABOUT = `
Needs a server certificate, the CA of the clients, and a policy file; makes its keys and its
store when there are neither. Logs are lines of JSON on stdout.
SIGTERM or SIGINT: health says NOT_SERVING, calls in flight end, exit code 0 within 20 s; a second
signal ends it at once. Certificates, revocation list and policy are loaded again when their
files change, and on SIGHUP; what is not good changes nothing.

  introspectd serve --config introspectd.yaml`;
