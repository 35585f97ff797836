// The settings of a store in Redis: read with every pipeline, so that a store that was replaced, or began to use a key
// that we lack, is noticed by the very next read.
import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { SETTLE_SCRIPT } from './redis-scripts.js';
import { admitKeys, reserveWritingKey } from './store-keys.js';
import { createSettings, type StoreSettings } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { FIRST_LOG_ENTRY } from './store-rules.js';
import { decodeSettings, encodeLogValue, encodeSettings } from './value-layout.js';

export interface RedisSettings {
  /**
   * Undefined when there are none, or when our writing key is not among theirs yet: settle. Throws StoreUnavailable when
   * our keys do not fit.
   */
  admit(stored: Buffer | null, storeTimeMs: number): StoreSettings | undefined;
  /** The same for a write: undefined also when our writing key must be reserved for longer first. */
  admitWrite(stored: Buffer | null, storeTimeMs: number): StoreSettings | undefined;
  /** Makes a store that is not there, a log that is gone, and reserves our writing key; another daemon may be first. */
  settle(stored: Buffer | null, storeTimeMs: number): Promise<void>;
  /** Puts these in place of the stored ones; false when others are there by now. */
  replace(stored: Buffer, next: StoreSettings): Promise<boolean>;
}

export interface RedisSettingsDependencies {
  readonly options: Pick<StoreOptions, 'keyChecks' | 'defaults'>;
  readonly keys: RedisKeys;
  readonly run: RedisConnection['run'];
  readonly timeoutMs: number;
}

export function createRedisSettings({ options, keys, run, timeoutMs }: RedisSettingsDependencies): RedisSettings {
  let admitted: { readonly stored: Buffer; readonly settings: StoreSettings } | undefined;

  const admit = (stored: Buffer | null, storeTimeMs: number): StoreSettings | undefined => {
    if (stored === null) return undefined;
    if (admitted?.stored.equals(stored)) return admitted.settings;
    const settings = decodeSettings(stored);
    if (admitKeys(settings, options, storeTimeMs) !== settings) return undefined;
    admitted = { stored, settings };
    return settings;
  };

  const put = async (stored: Buffer | null, next: Buffer, storeTimeMs: number): Promise<boolean> => {
    const first = encodeLogValue(randomBytes(8), FIRST_LOG_ENTRY);
    const args = [stored ?? '', next, storeTimeMs, first];
    return (await run(SETTLE_SCRIPT, { keys: [keys.meta, keys.log], args }, timeoutMs)) === 1;
  };

  /** Made anew under a running daemon, a store keeps the bounds: leases of the old one may be out. */
  const create = (storeTimeMs: number): StoreSettings => {
    const settings = createSettings(options, storeTimeMs);
    if (admitted === undefined) return settings;
    const { maxTokenTtlMs, leaseMs, longest, former } = admitted.settings;
    return { ...settings, maxTokenTtlMs, leaseMs, longest, former };
  };

  return {
    admit,
    admitWrite: (stored, storeTimeMs) => {
      const settings = admit(stored, storeTimeMs);
      return settings && reserveWritingKey(settings, options, storeTimeMs) === settings ? settings : undefined;
    },
    settle: async (stored, storeTimeMs) => {
      const there = stored === null ? create(storeTimeMs) : decodeSettings(stored);
      const settings = reserveWritingKey(admitKeys(there, options, storeTimeMs), options, storeTimeMs);
      await put(stored, stored !== null && settings === there ? stored : encodeSettings(settings), storeTimeMs);
    },
    replace: (stored, next) => put(stored, encodeSettings(next), 0),
  };
}
