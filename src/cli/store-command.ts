import type { Command } from 'commander';
import { formatDuration } from '../config/duration.js';
import { StoreUnavailable } from '../core/errors.js';
import { CliError } from './cli-error.js';
import { addConfigOptions, type ConfigOptions, loadConfigFromOptions } from './config-options.js';
import { outputOption } from './parse-option.js';
import { formatRows, type OutputFormat, printData } from './terminal.js';

interface StoreOptions extends ConfigOptions {
  readonly output: OutputFormat;
}

export function setUpStore(store: Command): void {
  const show = store
    .command('show')
    .description('Print what the store says of itself: id, fingerprints of its keys, lifetimes, clock, size.');
  addConfigOptions(show)
    .addOption(outputOption('how it is written').default('json'))
    .addHelpText('after', '\nReads the folder, or Redis, itself; the daemon may be running.')
    .action(showStore);
}

async function showStore(options: StoreOptions): Promise<void> {
  const { config } = await loadConfigFromOptions(options);
  const { describeStore, inspectStore } = await import('./open-store.js');
  const path = describeStore(config);
  const { meta, entries } = await inspectStore(config.store).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) throw new CliError(1, `the store in ${path}: ${error.detail}`);
    throw error;
  });
  const row = {
    path,
    store_id: meta.storeId,
    partitions: meta.partitions,
    tag_key_check: meta.tagKeyCheck,
    digest_key_checks: meta.digestKeyChecks,
    max_token_ttl: formatDuration(meta.maxTokenTtlMs),
    lease: formatDuration(meta.leaseMs),
    last_store_time: new Date(meta.lastStoreTimeMs).toISOString(),
    entries,
  };
  await printData(formatRows([row], options.output));
}
