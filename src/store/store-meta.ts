// What a store says of itself, and which keys may open it.
import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '../core/errors.js';
import type { StoreMeta } from '../core/token-store.js';
import type { StoreOptions } from './store-options.js';

type KeyChecks = Pick<StoreOptions, 'keyChecks'>;

/** All but the time, which every write moves. */
export type StoreSettings = Omit<StoreMeta, 'lastStoreTimeMs'>;

export function createSettings(options: Pick<StoreOptions, 'keyChecks' | 'defaults'>): StoreSettings {
  return {
    storeId: randomUUID(),
    partitions: options.defaults.partitions,
    tagKeyCheck: options.keyChecks.tag,
    digestKeyChecks: writingKey(options),
    maxTokenTtlMs: options.defaults.maxTokenTtlMs,
    leaseMs: options.defaults.leaseMs,
  };
}

/**
 * The settings with the writing key among the keys that entries may stand under; the very same object when it is there
 * already. Throws StoreUnavailable when the keys at hand are not the store's: tags and digests made under others would
 * miss every revocation.
 */
export function admitKeys(settings: StoreSettings, options: KeyChecks): StoreSettings {
  const { tag, digests } = options.keyChecks;
  if (settings.tagKeyCheck !== tag) {
    throw new StoreUnavailable(
      `the store was made with another tag key (check ${settings.tagKeyCheck}, the keys file has ${tag}): ` +
        'restore the keys file (keys_file) that this store was made with',
    );
  }
  const missing = settings.digestKeyChecks.filter((check) => !digests.includes(check));
  if (missing.length > 0) {
    throw new StoreUnavailable(
      `the keys file (keys_file) lacks a digest key that entries of the store stand under (check ${missing.join(', ')}): ` +
        'restore its line, below the newer ones',
    );
  }
  const added = writingKey(options).filter((check) => !settings.digestKeyChecks.includes(check));
  return added.length === 0 ? settings : { ...settings, digestKeyChecks: [...settings.digestKeyChecks, ...added] };
}

function writingKey(options: KeyChecks): readonly string[] {
  return options.keyChecks.digests.slice(0, 1);
}
