// What can be said of a store in Redis without its keys. Changes nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../core/errors.js';
import type { Digest } from '../core/key-ring.js';
import { connectToRedis, type RedisConnection } from './redis-connection.js';
import { createRedisKeys } from './redis-keys.js';
import { stateCommands, toKeyPage, toState } from './redis-reader.js';
import type { RedisServer } from './redis-server.js';
import { type StoreSummary, toMeta } from './store-meta.js';
import { decodeSettings } from './value-layout.js';

const CONNECT_TIMEOUT_MS = 3000;
const TIMEOUT_MS = 5000;
const PAGE = 1000;
const POLL_MS = 10;
const NOTHING = (): void => undefined;

/** Throws StoreUnavailable when Redis does not answer, or holds no store under this prefix. */
export async function readRedisStore(server: RedisServer): Promise<StoreSummary> {
  const keys = createRedisKeys(server.keyPrefix);
  const connection = connectToRedis(server, { onReady: NOTHING, onLost: NOTHING, onRefused: NOTHING });
  try {
    await waitForAnswer(connection);
    const { settings, lastStoreTimeMs, redisMs } = toState(await connection.send(stateCommands(keys), TIMEOUT_MS));
    if (settings === null) throw new StoreUnavailable('there is no store under this store.key_prefix');
    let [entries, from] = [0, '0'];
    do {
      const [reply] = await connection.send(
        [['SCAN', from, 'MATCH', toPattern(keys.entry('' as Digest)), 'COUNT', PAGE]],
        TIMEOUT_MS,
      );
      const page = toKeyPage(reply);
      entries += page.count;
      from = page.next;
    } while (from !== '0');
    const storeTimeMs = Math.max(redisMs, lastStoreTimeMs);
    return { meta: toMeta(decodeSettings(settings), lastStoreTimeMs), entries, storeTimeMs };
  } finally {
    connection.close();
  }
}

async function waitForAnswer(connection: RedisConnection): Promise<void> {
  const endMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      await connection.send([['TIME']], TIMEOUT_MS);
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** All keys that begin with this text, in which nothing else has a meaning. */
function toPattern(text: string): string {
  return `${text.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
}
