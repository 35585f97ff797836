// introspectd watch: what is revoked, as it happens.
import type { RevocationNotice } from '@introspectd/client';
import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions, waitForDaemon, withConnection } from './connection.js';
import { formatRows, printData } from './terminal.js';

interface WatchOptions extends ConnectionOptions {
  readonly after?: string;
}

export function setUpWatch(command: Command): void {
  addConnectionOptions(command)
    .option('--after <revision>', 'go on after this revision, of an earlier line')
    .addHelpText('after', EXAMPLES)
    .action(async (options: WatchOptions) => watch(options));
}

const EXAMPLES = `
One line of JSON for each: {"kind":"started"}, {"kind":"revoked"} or {"kind":"reset"}. Tags are
fingerprints that are your caller's alone. Connects again by itself; ends with 0 at Ctrl-C.

  introspectd watch --as certs/orders`;

async function watch(options: WatchOptions): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  await withConnection(options, async (connection) => {
    const { client } = connection;
    await waitForDaemon(connection);
    const { signal } = interrupted;
    const from = options.after === undefined ? { signal } : { signal, afterRevision: options.after };
    for await (const notice of client.watchRevocations(from)) await print(notice);
  });
}

function print(notice: RevocationNotice): Promise<void> {
  return printData(formatRows([{ ...notice }], 'ndjson'));
}
