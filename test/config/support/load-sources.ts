// A configuration from text, environment and flags, as if the daemon was started in /srv.
import { FaultsError } from '../../../src/config/faults.js';
import { loadConfig } from '../../../src/config/load-config.js';

export const TLS = 'tls: { cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt }\n';

export interface Sources {
  readonly text?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string>>;
}

export function load({ text = TLS, env = {}, flags = {} }: Sources = {}) {
  return loadConfig({
    file: { path: 'conf/introspectd.yaml', text },
    env,
    flags: new Map(Object.entries(flags)),
    workingFolder: '/srv',
  });
}

/** path -> problem; two of one path are joined. */
export function faultsOf(sources: Sources): Record<string, string> {
  try {
    load(sources);
  } catch (error) {
    if (!(error instanceof FaultsError)) throw error;
    const found: Record<string, string> = {};
    for (const { path, problem } of error.faults) found[path] = [found[path], problem].filter(Boolean).join(' | ');
    return found;
  }
  return {};
}
