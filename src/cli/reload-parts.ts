// What of a running daemon can be replaced by a change of its files.
import type { Config } from '../config/config.js';
import { readFingerprint } from '../config/file-fingerprint.js';
import { readTlsFiles } from '../config/tls-files.js';
import type { Policy } from '../core/policy.js';
import type { TlsMaterial } from '../grpc/tls-material.js';
import { readPolicy } from './load-daemon-files.js';
import type { ReloadPart } from './reloader.js';

export interface Replacements {
  replaceTls(material: TlsMaterial): void;
  replacePolicy(policy: Policy): void;
  warn(warning: string): void;
}

/** Called before the files are read for the first time, so that no change is missed in between. */
export async function prepareReloadParts(config: Config): Promise<(to: Replacements) => readonly ReloadPart[]> {
  const { tls, policyFile } = config;
  const tlsPaths = [tls.certFile, tls.keyFile, tls.clientCaFile, ...(tls.crlFile === undefined ? [] : [tls.crlFile])];
  const policyPaths = [policyFile];
  const [tlsFingerprint, policyFingerprint] = await Promise.all([
    readFingerprint(tlsPaths),
    readFingerprint(policyPaths),
  ]);
  return (to) => [
    {
      name: 'tls',
      paths: tlsPaths,
      fingerprint: tlsFingerprint,
      load: async () => {
        const { material, warnings } = await readTlsFiles(tls, Date.now());
        return () => {
          to.replaceTls(material);
          for (const warning of warnings) to.warn(warning);
        };
      },
    },
    {
      name: 'policy',
      paths: policyPaths,
      fingerprint: policyFingerprint,
      load: async () => {
        const policy = await readPolicy(config);
        return () => to.replacePolicy(policy);
      },
    },
  ];
}
