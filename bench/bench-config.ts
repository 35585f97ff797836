import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../src/config/config.js';
import { loadConfig } from '../src/config/load-config.js';

/** What a daemon with this file alone would run with. */
export function readBenchConfig(path: string): Config {
  const file = { path, text: readFileSync(path, 'utf8') };
  return loadConfig({ file, env: {}, flags: new Map(), workingFolder: dirname(path) }).config;
}
