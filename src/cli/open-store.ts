// The engine that the configuration names.
import type { Config, RedisConfig } from '../config/config.js';
import { FaultsError } from '../config/faults.js';
import { readBoundedFile } from '../config/read-bounded-file.js';
import type { KeyRing } from '../core/key-ring.js';
import type { TokenStore } from '../core/token-store.js';
import { readLmdbStore } from '../store/lmdb-inspect.js';
import { openLmdbTokenStore } from '../store/lmdb-token-store.js';
import { readRedisStore } from '../store/redis-inspect.js';
import type { RedisServer } from '../store/redis-server.js';
import { openRedisTokenStore } from '../store/redis-token-store.js';
import type { StoreSummary } from '../store/store-meta.js';

const MAX_FILE_BYTES = 1024 * 1024;

/** Rejects with StoreUnavailable, or with FaultsError when a file for Redis cannot be read. */
export async function openStore(config: Config, { checks }: Pick<KeyRing, 'checks'>): Promise<TokenStore> {
  const { store, storeDefaults: defaults, limits } = config;
  const options = { keyChecks: checks, defaults, logEntries: limits.logEntries };
  if (store.kind === 'lmdb') return openLmdbTokenStore({ ...options, path: store.path, clock: Date.now });
  return openRedisTokenStore({ ...options, server: await readServer(store), timeoutMs: limits.storeTimeoutMs });
}

/** For people: where the store is. The url holds no password, the configuration sees to that. */
export function describeStore({ store }: Pick<Config, 'store'>): string {
  return store.kind === 'lmdb' ? store.path : store.url;
}

/** Without its keys, and without a change. Rejects as openStore does. */
export async function inspectStore(store: Config['store']): Promise<StoreSummary> {
  return store.kind === 'lmdb' ? readLmdbStore(store.path) : readRedisStore(await readServer(store));
}

async function readServer(config: RedisConfig): Promise<RedisServer> {
  const { url, keyPrefix, username, allowVolatile, tls, passwordFile } = config;
  const password = await readFile('store.password_file', passwordFile);
  const [ca, cert, key] = [
    await readFile('store.tls.ca_file', tls?.caFile),
    await readFile('store.tls.cert_file', tls?.certFile),
    await readFile('store.tls.key_file', tls?.keyFile),
  ];
  return {
    ...{ url, keyPrefix, username, allowVolatile },
    // One line, as editors end it.
    password: password?.toString('utf8').replace(/\r?\n$/, ''),
    tls: tls && { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
  };
}

async function readFile(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  const read = await readBoundedFile(path, MAX_FILE_BYTES);
  if (read.problem === undefined) return read.bytes;
  throw new FaultsError('the configuration', [{ path: setting, origin: path, problem: read.problem }]);
}
