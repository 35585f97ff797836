// The settings of a store in Redis: read with every pipeline, so that a store that was replaced, or began to use a key
// that we lack, is noticed by the very next read.
import { randomBytes } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { SETTLE_SCRIPT } from './redis-scripts.js';
import { admitKeys, createSettings, type StoreSettings } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { FIRST_LOG_ENTRY } from './store-rules.js';
import { decodeSettings, encodeLogValue, encodeSettings } from './value-layout.js';

export interface RedisSettings {
  /** False when there are none, or our writing key is not among theirs yet: settle. Throws StoreUnavailable when our keys do not fit. */
  admit(stored: Buffer | null): boolean;
  /** Makes a store that is not there, a log that is gone, and lets our writing key in; another daemon may be first. */
  settle(stored: Buffer | null, storeTimeMs: number): Promise<void>;
  /** As admitted last. */
  get(): StoreSettings;
  /** The same, as stored. */
  stored(): Buffer;
}

export interface RedisSettingsDependencies {
  readonly options: Pick<StoreOptions, 'keyChecks' | 'defaults'>;
  readonly keys: RedisKeys;
  readonly run: RedisConnection['run'];
  readonly timeoutMs: number;
}

export function createRedisSettings({ options, keys, run, timeoutMs }: RedisSettingsDependencies): RedisSettings {
  let admitted: { readonly stored: Buffer; readonly settings: StoreSettings } | undefined;
  const require = () => {
    if (admitted === undefined) throw new Error('settings are read before they are used');
    return admitted;
  };
  return {
    admit: (stored) => {
      if (stored === null) return false;
      if (admitted?.stored.equals(stored)) return true;
      const settings = decodeSettings(stored);
      if (admitKeys(settings, options) !== settings) return false;
      admitted = { stored, settings };
      return true;
    },
    settle: async (stored, storeTimeMs) => {
      const there = stored === null ? createSettings(options) : decodeSettings(stored);
      const settings = admitKeys(there, options);
      const next = stored !== null && settings === there ? stored : encodeSettings(settings);
      const first = encodeLogValue(randomBytes(8), FIRST_LOG_ENTRY);
      const args = [stored ?? '', next, storeTimeMs, first];
      await run(SETTLE_SCRIPT, { keys: [keys.meta, keys.log], args }, timeoutMs);
    },
    get: () => require().settings,
    stored: () => require().stored,
  };
}
