// A store with many live revocations: what a daemon has to load before it is ready.
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { openStore } from '../src/cli/open-store.js';
import type { Config } from '../src/config/config.js';
import { readKeysFile } from '../src/config/keys-file.js';
import type { Tag } from '../src/core/key-ring.js';
import { END_OF_TIME_MS, type TokenStore } from '../src/core/token-store.js';
import { createRedisKeys } from '../src/store/redis-keys.js';
import { encodeLive } from '../src/store/value-layout.js';
import { readBenchConfig } from './bench-config.js';

const AT_ONCE = 1000;
const DAY_MS = 86_400_000;

/** Opens the store of this configuration, makes it if there is none, and closes it again. */
export async function writeLiveRevocations(configFile: string, count: number): Promise<void> {
  const config = readBenchConfig(configFile);
  const { keyRing } = await readKeysFile(config.keysFile);
  // Tags are keyed hashes: as good as random. In their order, because LMDB then fills one page after the other.
  const tags = Array.from({ length: count }, () => randomBytes(8) as Uint8Array as Tag).sort(Buffer.compare);
  const store = await openStore(config, keyRing);
  try {
    if (config.store.kind === 'redis') await fillRedis(config.store, tags);
    else await inChunks(tags, (chunk) => revokeAll(store, chunk));
  } finally {
    await store.close();
  }
}

function revokeAll(store: Pick<TokenStore, 'revokeTag'>, tags: readonly Tag[]): Promise<unknown> {
  return Promise.all(tags.map((tag) => store.revokeTag({ tag, issuerTag: tag, beforeMs: END_OF_TIME_MS })));
}

/** What the store writes, but for the log: a script for each of a million takes minutes. */
async function fillRedis({ url, keyPrefix }: RedisStore, tags: readonly Tag[]): Promise<void> {
  const keys = createRedisKeys(keyPrefix);
  const expiresAtMs = Date.now() + DAY_MS;
  const redis = new Redis(url);
  try {
    await inChunks(tags, async (chunk) => {
      const live = chunk.flatMap((tag) => [
        tag as Uint8Array as Buffer,
        encodeLive({ tag, beforeMs: END_OF_TIME_MS, expiresAtMs, issuerTag: tag }),
      ]);
      await redis.hset(keys.live, ...live);
      await redis.zadd(keys.liveExpiry, ...chunk.flatMap((tag) => [expiresAtMs, tag as Uint8Array as Buffer]));
    });
  } finally {
    redis.disconnect();
  }
}

type RedisStore = Extract<Config['store'], { readonly kind: 'redis' }>;

async function inChunks(tags: readonly Tag[], write: (chunk: readonly Tag[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < tags.length; start += AT_ONCE) await write(tags.slice(start, start + AT_ONCE));
}
