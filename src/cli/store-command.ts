import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { storeBounds } from '../config/config-schema.js';
import { readKeysFile } from '../config/keys-file.js';
import { StoreUnavailable } from '../core/errors.js';
import type { BoundsChange } from '../core/token-store.js';
import { CliError } from './cli-error.js';
import { addConfigOptions, type ConfigOptions, loadConfigFromOptions } from './config-options.js';
import { outputOption } from './parse-option.js';
import { describeStoreSummary } from './store-summary.js';
import { formatRows, type OutputFormat, printData, printNote } from './terminal.js';

interface StoreOptions extends ConfigOptions {
  readonly output: OutputFormat;
}

const SHOW_HELP = `
Reads the folder, or Redis, itself; the daemon may be running.

A digest key is "written with" by some daemon in the last hour, "needed" until the time shown because
entries stand under it, or "retired": its line may go from the keys file of every daemon.`;

const SET_HELP = `
NAME=DURATION is one of
  max_token_ttl=1s..3650d   longest life of a token that is registered from now on
  lease=100ms..5m           how long a cache may answer without hearing from a server

Daemons may be running; all of them obey from their next read or write on. What is there keeps its life:
a raised max_token_ttl first makes every revocation last long enough for the longer tokens. A lowered
lease is waited for by "revoke --wait-for-caches" until the longer leases are over. Cut off in between,
the store is safe; "store show" says changing, and the same command again ends it.

Examples:
  introspectd store set max_token_ttl=90d --config introspectd.yaml
  introspectd store set lease=5s --config introspectd.yaml`;

export function setUpStore(store: Command): void {
  const show = store
    .command('show')
    .description('Print what the store says of itself: id, its keys and their use, lifetimes, clock, size.');
  addConfigOptions(show)
    .addOption(outputOption('how it is written').default('json'))
    .addHelpText('after', SHOW_HELP)
    .action(async (options: StoreOptions) => showStore((await loadConfigFromOptions(options)).config, options.output));
  const set = store
    .command('set')
    .description('Change max_token_ttl or the lease of a store, for all of its daemons; needs their keys file.')
    .argument('<name=duration>', 'max_token_ttl or lease, and its new value');
  addConfigOptions(set)
    .addOption(outputOption('how the store is written afterwards').default('json'))
    .addHelpText('after', SET_HELP)
    .action(setStore);
}

async function showStore(config: Config, output: OutputFormat): Promise<void> {
  const { describeStore, inspectStore } = await import('./open-store.js');
  const path = describeStore(config);
  const summary = await inspectStore(config.store).catch((error: unknown) => refuse(error, config, describeStore));
  // Whoever may look at the store need not be who may read the keys.
  const keyRing = await readKeysFile(config.keysFile).then(
    (file) => file.keyRing,
    () => undefined,
  );
  await printData(formatRows([{ path, ...describeStoreSummary(summary, keyRing) }], output));
}

async function setStore(assignment: string, options: StoreOptions): Promise<void> {
  const change = parseBoundsChange(assignment);
  const { config } = await loadConfigFromOptions(options);
  const { describeStore, inspectStore, openStore } = await import('./open-store.js');
  const { keyRing } = await readKeysFile(config.keysFile);
  try {
    // Opening makes a store where there is none: whoever means to change one has the wrong path then.
    const { meta } = await inspectStore(config.store);
    if ('maxTokenTtlMs' in change && change.maxTokenTtlMs > meta.maxTokenTtlMs) {
      printNote('extending what is revoked, then letting longer tokens in');
    }
    const store = await openStore(config, keyRing);
    await store.changeBounds(change).finally(() => store.close());
  } catch (error) {
    refuse(error, config, describeStore);
  }
  await showStore(config, options.output);
}

/** Throws CliError, which does not repeat what was typed. */
function parseBoundsChange(assignment: string): BoundsChange {
  const [, name, value] = /^(max_token_ttl|lease)=(.*)$/s.exec(assignment) ?? [];
  if (name !== 'max_token_ttl' && name !== 'lease') {
    throw new CliError(2, 'store set expects max_token_ttl=DURATION or lease=DURATION, such as lease=5s');
  }
  const parsed = storeBounds[name].safeParse(value);
  if (!parsed.success) throw new CliError(2, `${name} ${parsed.error.issues[0]?.message ?? 'is not a duration'}`);
  return name === 'lease' ? { leaseMs: parsed.data } : { maxTokenTtlMs: parsed.data };
}

function refuse(error: unknown, config: Config, describeStore: (config: Config) => string): never {
  if (!(error instanceof StoreUnavailable)) throw error;
  throw new CliError(1, `the store in ${describeStore(config)}: ${error.detail}`);
}
