// Options of the commands that read a configuration, made from its schema.

import type { Command } from 'commander';
import { CONFIG_LEAVES } from '../config/config-leaves.js';
import { type LoadedConfig, loadConfig } from '../config/load-config.js';
import { readBoundedFile } from '../config/read-bounded-file.js';
import { CliError } from './cli-error.js';
import { collectOption } from './parse-option.js';

const MAX_BYTES = 1024 * 1024;

/** Settings with an option of their own; the others go through --set. */
const NAMED: ReadonlySet<string> = new Set([
  'listen',
  'ops_listen',
  'tls.cert_file',
  'tls.key_file',
  'tls.client_ca_file',
  'tls.crl_file',
  'policy_file',
  'store.path',
  'keys_file',
  'log.level',
]);

export interface ConfigOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly [setting: string]: unknown;
}

export function addConfigOptions(command: Command): Command {
  command.option('--config <file>', 'configuration, YAML; relative paths in it start at its folder');
  for (const { name, description, initial, isPath } of CONFIG_LEAVES) {
    if (!NAMED.has(name)) continue;
    const value = isPath ? '<path>' : name.endsWith('listen') ? '<host:port>' : '<name>';
    const text = initial === undefined ? description : `${description} Default: ${initial}`;
    command.option(`--${toOption(name)} ${value}`, text);
  }
  return command.option(
    '--set <name=value>',
    'any other setting, such as limits.inflight=500; may be repeated; see config print',
    collectOption,
  );
}

/** Throws CliError or FaultsError. */
export async function loadConfigFromOptions(options: ConfigOptions): Promise<LoadedConfig> {
  return loadConfig({
    file: options.config === undefined ? undefined : await readConfigFile(options.config),
    env: process.env,
    flags: new Map([...fromNamed(options), ...fromSet(options.set ?? [])]),
    workingFolder: process.cwd(),
  });
}

async function readConfigFile(path: string): Promise<{ readonly path: string; readonly text: string }> {
  const read = await readBoundedFile(path, MAX_BYTES);
  if (read.problem !== undefined) throw new CliError(2, `--config ${path}: ${read.problem}`);
  return { path, text: read.bytes.toString('utf8') };
}

function fromNamed(options: ConfigOptions): (readonly [string, string])[] {
  return [...NAMED].flatMap((name) => {
    const value = options[toProperty(name)];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
}

function fromSet(assignments: readonly string[]): (readonly [string, string])[] {
  return assignments.map((assignment) => {
    const [, name, value] = /^([a-z_.]+)=(.*)$/s.exec(assignment) ?? [];
    if (name === undefined || value === undefined)
      throw new CliError(2, '--set expects NAME=VALUE, such as limits.inflight=500');
    return [name, value];
  });
}

/** `tls.cert_file` -> `tls-cert-file`. */
function toOption(name: string): string {
  return name.replaceAll(/[._]/g, '-');
}

/** As commander names the value of an option: `tlsCertFile`. */
function toProperty(name: string): string {
  return name.replaceAll(/[._]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
