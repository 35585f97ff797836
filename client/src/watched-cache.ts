// The cache and the watch that lets it answer, as the options want them.
import type { ClientLogger } from './client-logger.js';
import type { CacheOptions } from './client-options.js';
import type { IntrospectionServiceClient } from './gen/introspectd/v1/introspection_service.js';
import { IntrospectionError } from './introspection-error.js';
import { createNearCache, type NearCache } from './near-cache.js';
import { createWatchSession, type WatchSession } from './watch-session.js';

export interface WatchedCache {
  readonly cache: NearCache;
  readonly session: WatchSession;
  /** No answer is kept longer, milliseconds. */
  readonly maxAgeMs: number;
}

export interface WatchedCacheRequest {
  readonly options: false | CacheOptions;
  readonly raw: IntrospectionServiceClient;
  readonly logger: ClientLogger;
}

const DEFAULTS = { maxAgeMs: 60_000, maxEntries: 100_000, maxBytes: 128 * 1_024 * 1_024, maxInactiveEntries: 10_000 };

/** Undefined = no cache. Throws INVALID_ARGUMENT. */
export function createWatchedCache({ options, raw, logger }: WatchedCacheRequest): WatchedCache | undefined {
  if (options === false) return undefined;
  const maxAgeMs = checkBound(options, 'maxAgeMs');
  const bounds = {
    maxEntries: checkBound(options, 'maxEntries'),
    maxBytes: checkBound(options, 'maxBytes'),
    maxInactiveEntries: checkBound(options, 'maxInactiveEntries'),
  };
  // Elsewhere 0 has meant "for ever" or "without a bound". Here it means nothing at all.
  if (maxAgeMs === 0 || bounds.maxEntries === 0 || bounds.maxBytes === 0) return undefined;
  const cache = createNearCache(bounds);
  const holder = {
    revoked: (tags: readonly Uint8Array[]) => {
      for (const tag of tags) cache.drop(Buffer.from(tag).toString('latin1'));
    },
    reset: () => cache.clear(),
  };
  return { cache, session: createWatchSession({ raw, holder, logger }), maxAgeMs };
}

function checkBound(options: CacheOptions, name: keyof typeof DEFAULTS): number {
  const value = options[name] ?? DEFAULTS[name];
  if (!Number.isInteger(value) || value < 0) {
    throw new IntrospectionError('INVALID_ARGUMENT', `cache.${name} is an integer from 0`);
  }
  return value;
}
