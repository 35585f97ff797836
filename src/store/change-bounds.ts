// Changes max_token_ttl or the lease of a store in use. Every step is safe to stop at: what the store reckons with
// (`longest`) is never less than what it let in, and a change that was cut off is finished by making it again.
import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '../core/errors.js';
import type { BoundsChange } from '../core/token-store.js';
import { reserveKeysInUse } from './store-keys.js';
import { revocationEndMs } from './store-lifetimes.js';
import type { StoreSettings } from './store-meta.js';

type SettingsStep = (settings: StoreSettings, storeTimeMs: number) => StoreSettings;

/** What an engine gives for it. */
export interface BoundsEngine {
  /** One atomic step; resolves when every read and every write from now on meets the new settings. May run `step` again. */
  update(step: SettingsStep): Promise<void>;
  /** Makes some of the live revocations and unknown tombstones that end before `endMs` end then; false when none is left. */
  extend(endMs: number): Promise<boolean>;
}

export async function changeBounds(engine: BoundsEngine, change: BoundsChange): Promise<void> {
  const changeId = randomUUID();
  const isTtl = 'maxTokenTtlMs' in change;
  const { begin, finish } = isTtl ? changeOfTtl(change.maxTokenTtlMs) : changeOfLease(change.leaseMs);
  await engine.update((settings) => ({ ...begin(settings), changeId }));
  const updateUnlessChanged = (step: SettingsStep): Promise<void> =>
    engine.update((settings, storeTimeMs) => {
      if (settings.changeId !== changeId) throw new StoreUnavailable('another change of the store came in between');
      return step(settings, storeTimeMs);
    });
  if (isTtl) await extendAll(engine, change.maxTokenTtlMs, updateUnlessChanged);
  // What was let in and granted before the first step is in the past of this one, however long that took to be seen.
  await updateUnlessChanged(finish);
}

/** Revocations that are said from the first step on live long enough; this makes the earlier ones. Only for a raise. */
async function extendAll(
  engine: BoundsEngine,
  maxTokenTtlMs: number,
  update: (step: SettingsStep) => Promise<void>,
): Promise<void> {
  let endMs: number | undefined;
  await update((settings, storeTimeMs) => {
    endMs = undefined;
    if (maxTokenTtlMs <= settings.maxTokenTtlMs) return settings;
    endMs = revocationEndMs(settings, storeTimeMs);
    return reserveKeysInUse(settings, storeTimeMs);
  });
  if (endMs === undefined) return;
  while (await engine.extend(endMs));
}

interface Steps {
  /** Lowers what is let in, raises what is reckoned with. */
  readonly begin: (settings: StoreSettings) => StoreSettings;
  /** Raises what is let in, lowers what is reckoned with, once nothing more can come of the larger bound. */
  readonly finish: SettingsStep;
}

function changeOfTtl(maxTokenTtlMs: number): Steps {
  return {
    begin: (settings) => ({
      ...settings,
      maxTokenTtlMs: Math.min(settings.maxTokenTtlMs, maxTokenTtlMs),
      longest: { ...settings.longest, tokenTtlMs: Math.max(settings.longest.tokenTtlMs, maxTokenTtlMs) },
    }),
    finish: (settings, storeTimeMs) => {
      const { longest, former, createdMs, oldestIssueMs } = settings;
      // Of what was said longer ago than the bound, some may be forgotten, and nothing could extend it.
      const knownSinceMs = storeTimeMs - settings.maxTokenTtlMs;
      const isRaise = maxTokenTtlMs > settings.maxTokenTtlMs;
      return {
        ...settings,
        maxTokenTtlMs,
        longest: { ...longest, tokenTtlMs: maxTokenTtlMs },
        former: {
          ...former,
          tokensEndMs: keepFormer(former.tokensEndMs, storeTimeMs, longest.tokenTtlMs, maxTokenTtlMs),
        },
        oldestIssueMs: isRaise && knownSinceMs > createdMs ? Math.max(oldestIssueMs, knownSinceMs) : oldestIssueMs,
      };
    },
  };
}

function changeOfLease(leaseMs: number): Steps {
  return {
    begin: (settings) => ({
      ...settings,
      leaseMs,
      longest: { ...settings.longest, leaseMs: Math.max(settings.longest.leaseMs, leaseMs) },
    }),
    finish: (settings, storeTimeMs) => {
      const { longest, former } = settings;
      return {
        ...settings,
        longest: { ...longest, leaseMs },
        former: { ...former, leasesEndMs: keepFormer(former.leasesEndMs, storeTimeMs, longest.leaseMs, leaseMs) },
      };
    },
  };
}

function keepFormer(endMs: number, storeTimeMs: number, longestMs: number, nextMs: number): number {
  return longestMs > nextMs ? Math.max(endMs, storeTimeMs + longestMs) : endMs;
}
