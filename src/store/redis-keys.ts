// The one place that spells Redis keys. All keys of a partition share a hash tag, so that a script may touch them together.
import type { Digest } from '../core/key-ring.js';

export interface RedisKeys {
  /** Hash: settings (JSON), time (the last store time, ms). */
  readonly meta: string;
  /** Stream: one field per revocation. Trimmed, never empty. */
  readonly log: string;
  /** Hash: tag -> live revocation. */
  readonly live: string;
  /** Sorted set: tags of live revocations by the store time at which they end. */
  readonly liveExpiry: string;
  /** Sorted set: keys of tombstones of tokens that were never registered, by the store time at which they end. */
  readonly unknown: string;
  entry(digest: Digest): string;
}

/** Without a partition number there is one partition, as one server has. */
export function createRedisKeys(prefix: string): RedisKeys {
  const partition = `${prefix}{p00}`;
  return {
    meta: `${partition}:meta`,
    log: `${partition}:log`,
    live: `${partition}:live`,
    liveExpiry: `${partition}:live:expiry`,
    unknown: `${partition}:live:unknown`,
    entry: (digest) => `${partition}:t:${digest}`,
  };
}
