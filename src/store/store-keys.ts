// Which keys may open a store, and until when each of them is needed. An entry stands under the digest key that its
// writer had first; whoever lacks that key would miss a record, or worse, a tombstone.
import { StoreUnavailable } from '../core/errors.js';
import type { DigestKeyUse } from '../core/token-store.js';
import { revocationEndMs } from './store-lifetimes.js';
import type { StoreSettings } from './store-meta.js';
import type { StoreOptions } from './store-options.js';

type KeyChecks = Pick<StoreOptions, 'keyChecks'>;

const HOUR_MS = 3_600_000;

/** A writer reserves its key for so long at once: the settings change once in so long, not with every write. */
export function reservedForMs({ maxTokenTtlMs }: Pick<StoreSettings, 'maxTokenTtlMs'>): number {
  return Math.min(HOUR_MS, maxTokenTtlMs);
}

/**
 * The settings with the writing key among the keys in use; the very same object when it is there already. Throws
 * StoreUnavailable when the keys at hand are not the store's: tags and digests made under others would miss every
 * revocation.
 */
export function admitKeys(settings: StoreSettings, options: KeyChecks, storeTimeMs: number): StoreSettings {
  const { tag, digests } = options.keyChecks;
  if (settings.tagKeyCheck !== tag) {
    throw new StoreUnavailable(
      `the store was made with another tag key (check ${settings.tagKeyCheck}, the keys file has ${tag}): ` +
        'restore the keys file (keys_file) that this store was made with',
    );
  }
  const inUse = settings.digestKeys.filter((key) => isInUse(key, storeTimeMs));
  const missing = inUse.filter(({ check }) => !digests.includes(check));
  if (missing.length > 0) {
    const named = missing.map(({ check, usedUntilMs }) => `check ${check}, needed until ${toInstant(usedUntilMs)}`);
    throw new StoreUnavailable(
      `the keys file (keys_file) lacks a digest key that entries of the store stand under (${named.join('; ')}): ` +
        'put its line there, below the others, and restart',
    );
  }
  const writing = writingKey(options);
  return inUse.some(({ check }) => check === writing) ? settings : useWritingKey(settings, writing, storeTimeMs);
}

/**
 * The settings under which an entry that is written now may stand under the writing key; the very same object when it is
 * reserved for long enough.
 */
export function reserveWritingKey(settings: StoreSettings, options: KeyChecks, storeTimeMs: number): StoreSettings {
  const writing = writingKey(options);
  const key = settings.digestKeys.find(({ check }) => check === writing);
  if (
    key !== undefined &&
    key.usedUntilMs >= revocationEndMs(settings, storeTimeMs) &&
    storeTimeMs < key.reservedMs + reservedForMs(settings)
  ) {
    return settings;
  }
  return useWritingKey(settings, writing, storeTimeMs);
}

/** Lets what stands under any key in use live as long as what is written now. */
export function reserveKeysInUse(settings: StoreSettings, storeTimeMs: number): StoreSettings {
  const digestKeys = settings.digestKeys.map((key) =>
    isInUse(key, storeTimeMs) ? { ...key, usedUntilMs: reservedUntilMs(settings, key, storeTimeMs) } : key,
  );
  return { ...settings, digestKeys };
}

function useWritingKey(settings: StoreSettings, check: string, storeTimeMs: number): StoreSettings {
  const known = settings.digestKeys.find((key) => key.check === check);
  const others = settings.digestKeys.filter((key) => key.check !== check);
  const key = {
    check,
    reservedMs: storeTimeMs,
    usedUntilMs: reservedUntilMs(settings, known ?? { usedUntilMs: 0 }, storeTimeMs),
  };
  // Keys out of use are told until another one comes, so that an operator can see that their time is over.
  const kept = known === undefined ? others.filter((other) => isInUse(other, storeTimeMs)) : others;
  return { ...settings, digestKeys: [key, ...kept] };
}

function reservedUntilMs(
  settings: StoreSettings,
  { usedUntilMs }: Pick<DigestKeyUse, 'usedUntilMs'>,
  storeTimeMs: number,
): number {
  return Math.max(usedUntilMs, revocationEndMs(settings, storeTimeMs) + reservedForMs(settings));
}

function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

function isInUse({ usedUntilMs }: DigestKeyUse, storeTimeMs: number): boolean {
  return usedUntilMs > storeTimeMs;
}

function writingKey({ keyChecks }: KeyChecks): string {
  const [check] = keyChecks.digests;
  if (check === undefined) throw new Error('a ring has a digest key');
  return check;
}
