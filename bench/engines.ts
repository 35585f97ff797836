// The stores that are measured. A daemon learns of its engine from its configuration, and so does this.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { RedisServer } from './redis-server.js';

export interface Engine {
  readonly name: 'lmdb' | 'redis';
  /** Settings beside those of a workspace, for a store of its own each time. */
  readonly config: () => Readonly<Record<string, unknown>>;
}

/** Redis is one once it is built, and where there is a server. */
export function findEngines(redis: RedisServer | undefined): readonly Engine[] {
  const engines: Engine[] = [{ name: 'lmdb', config: () => ({}) }];
  if (redis !== undefined && existsSync(new URL('../src/store/redis-token-store.js', import.meta.url))) {
    engines.push({
      name: 'redis',
      config: () => ({ store: { kind: 'redis', url: redis.url, key_prefix: `${randomUUID()}:` } }),
    });
  }
  return engines;
}
