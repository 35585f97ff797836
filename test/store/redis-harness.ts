// The Redis engine for the conformance suite and the model: one server for all, a key prefix for each.
import { randomUUID } from 'node:crypto';
import type { TokenStore } from '../../src/core/token-store.js';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import type { RedisServer } from '../../src/store/redis-server.js';
import { openRedisTokenStore, type RedisTime } from '../../src/store/redis-token-store.js';
import type { TestRedis } from '../support/redis-server.js';
import { type MakeHarness, makeOptions, START_MS, type StoreHarness } from './harness.js';
import { assertRedisInvariants } from './redis-invariants.js';

/** Store time is set by the test: what ends within a year of it is still in Redis, and must be hidden by the engine. */
const SPARE_MS = 366 * 24 * 3_600_000;

export function toServer(url: string, keyPrefix = 'introspectd:'): RedisServer {
  return { url, keyPrefix, username: undefined, password: undefined, tls: undefined, allowVolatile: false };
}

export function makeRedisHarness(redis: () => TestRedis): MakeHarness {
  return async (changes) => {
    const server = toServer(redis().url, `test:${randomUUID()}:`);
    const keys = createRedisKeys(server.keyPrefix);
    const clock = { clockMs: START_MS };
    const aheadMs = Date.now() - START_MS + SPARE_MS;
    const time: RedisTime = { toStoreMs: () => clock.clockMs, toRedisMs: (storeMs) => storeMs + aheadMs };
    const handles: TokenStore[] = [];
    const open = async (more = changes) => {
      const { clock: _, ...options } = makeOptions(clock, { ...changes, ...more });
      const handle = await openRedisTokenStore({ ...options, server, timeoutMs: 10_000, time });
      handles.push(handle);
      return handle;
    };
    const findKeys = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of redis().admin.scanStream({ match: `${server.keyPrefix}*`, count: 1000 })) {
        found.push(...(page as string[]));
      }
      return found;
    };
    const wipe = async () => {
      const found = await findKeys();
      if (found.length > 0) await redis().admin.unlink(...found);
    };
    let store = await open();
    const harness: StoreHarness = {
      get store() {
        return store;
      },
      get clockMs() {
        return clock.clockMs;
      },
      set clockMs(clockMs) {
        clock.clockMs = clockMs;
      },
      reopen: async (more) => {
        await store.close();
        store = await open(more);
      },
      openSecond: (more) => open(more),
      wipe,
      trim: async () => void (await redis().admin.xtrim(keys.log, 'MAXLEN', 1)),
      assertSound: async () => assertRedisInvariants(redis().admin, keys, await findKeys()),
      close: async () => {
        for (const handle of handles) await handle.close();
        await wipe();
      },
    };
    return harness;
  };
}
