import type { Command } from 'commander';
import { configJsonSchema } from '../config/config-leaves.js';
import { formatConfig } from '../config/format-config.js';
import { addConfigOptions, type ConfigOptions, loadConfigFromOptions } from './config-options.js';
import { printData } from './terminal.js';

export function setUpConfig(config: Command): void {
  const print = config
    .command('print')
    .description('Check the configuration and print it as YAML, each value with where it comes from.');
  addConfigOptions(print)
    .addHelpText('after', ABOUT)
    .action(async (options: ConfigOptions) => printData(formatConfig((await loadConfigFromOptions(options)).settings)));
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration file.')
    .action(async () => printData(JSON.stringify(configJsonSchema(), null, 2)));
}

const ABOUT = `
Later wins: defaults, the file, the environment, options. In the environment, limits.inflight is
INTROSPECTD_LIMITS_INFLIGHT. There are no secrets to mask: keys are named by their files.`;
