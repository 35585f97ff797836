// All files that the configuration names, read before anything is opened: every fault of all of them at once.
import type { Config } from '../config/config.js';
import { FaultsError } from '../config/faults.js';
import { createKeysFile, type KeysFile, keysFileExists, readKeysFile } from '../config/keys-file.js';
import { parsePolicyFile } from '../config/policy-file.js';
import { readBoundedFile } from '../config/read-bounded-file.js';
import { readTlsFiles } from '../config/tls-files.js';
import type { KeyRing } from '../core/key-ring.js';
import { createPolicy, type Policy } from '../core/policy.js';
import type { TlsMaterial } from '../grpc/tls-material.js';
import { lmdbStoreExists } from '../store/lmdb-folder.js';
import { CliError } from './cli-error.js';

const MAX_POLICY_BYTES = 1024 * 1024;

export interface DaemonFiles {
  readonly tls: TlsMaterial;
  readonly policy: Policy;
  readonly keyRing: KeyRing;
  readonly warnings: readonly string[];
}

/** Throws CliError. Makes the keys file where there is neither one nor a store, once nothing else is wrong. */
export async function loadDaemonFiles(config: Config): Promise<DaemonFiles> {
  const mayCreateKeys = await needsNewKeys(config);
  const [tls, policy, keys] = await Promise.allSettled([
    readTlsFiles(config.tls, Date.now()),
    readPolicy(config),
    mayCreateKeys ? undefined : readKeysFile(config.keysFile),
  ]);
  if (tls.status === 'rejected' || policy.status === 'rejected' || keys.status === 'rejected') {
    throw toUsageError([tls, policy, keys]);
  }
  const { keyRing, warnings } = keys.value ?? (await createKeys(config.keysFile));
  return {
    tls: tls.value.material,
    policy: policy.value,
    keyRing,
    warnings: [...tls.value.warnings, ...warnings],
  };
}

/** Keys that fit no store are of no use, and a store without its keys is none: only both are made together. */
async function needsNewKeys({ keysFile, store }: Config): Promise<boolean> {
  // Several daemons share a Redis: keys that one of them made would be of no use to the others.
  if (store.kind === 'redis') return false;
  // In this order: another daemon that starts now makes the keys first and the store second.
  const hasStore = await lmdbStoreExists(store.path);
  if (await keysFileExists(keysFile)) return false;
  if (!hasStore) return true;
  throw new CliError(
    2,
    `keys_file (${keysFile}): no such file, but there is a store in ${store.path}`,
    'It was made with keys that are needed to read it: restore the keys file, or name it with --keys-file.',
  );
}

async function createKeys(path: string): Promise<KeysFile> {
  await createKeysFile(path);
  return readKeysFile(path);
}

/** Throws FaultsError. */
export async function readPolicy({
  policyFile: path,
  extAuthz,
}: Pick<Config, 'policyFile' | 'extAuthz'>): Promise<Policy> {
  const read = await readBoundedFile(path, MAX_POLICY_BYTES);
  if (read.problem !== undefined) {
    throw new FaultsError('the policy', [{ path: 'policy_file', origin: path, problem: read.problem }]);
  }
  return createPolicy(parsePolicyFile(read.bytes.toString('utf8'), path, Object.keys(extAuthz.profiles)));
}

function toUsageError(results: readonly PromiseSettledResult<unknown>[]): unknown {
  const errors = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  const other = errors.find((error) => !(error instanceof FaultsError));
  if (other !== undefined) return other;
  return new CliError(2, ...errors.map((error) => (error instanceof Error ? error.message : '')));
}
