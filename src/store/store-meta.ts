// What a store says of itself: made at creation, and the truth for all daemons.
import { randomUUID } from 'node:crypto';
import type { DigestKeyUse, StoreMeta } from '../core/token-store.js';
import { revocationsOverMs } from './store-lifetimes.js';
import type { StoreOptions } from './store-options.js';

/** All but the time, which every write moves. */
export interface StoreSettings {
  readonly storeId: string;
  readonly partitions: number;
  /** Store time, ms. */
  readonly createdMs: number;
  readonly tagKeyCheck: string;
  readonly digestKeys: readonly DigestKeyUse[];
  /** In force: what a new token may have, what a cache may be granted. */
  readonly maxTokenTtlMs: number;
  readonly leaseMs: number;
  /** What revocations reckon with: the two above, or what is larger while one of them is being changed. */
  readonly longest: { readonly tokenTtlMs: number; readonly leaseMs: number };
  /** Store times at which the last token and the last lease are over that larger bounds of the past let in. */
  readonly former: { readonly tokensEndMs: number; readonly leasesEndMs: number };
  /** Revocations said before this may be forgotten: a token of before them must not outlive them. */
  readonly oldestIssueMs: number;
  /** Of the last change of a bound: who changes one finds out whether somebody else came in between. */
  readonly changeId: string;
}

/** What can be said of a store without its keys. */
export interface StoreSummary {
  readonly meta: StoreMeta;
  /** Records and tombstones, expired ones that are not swept yet among them. */
  readonly entries: number;
  /** The store's time now, ms. */
  readonly storeTimeMs: number;
}

export function createSettings(
  { keyChecks, defaults }: Pick<StoreOptions, 'keyChecks' | 'defaults'>,
  storeTimeMs: number,
): StoreSettings {
  const { partitions, maxTokenTtlMs, leaseMs } = defaults;
  return {
    storeId: randomUUID(),
    partitions,
    createdMs: storeTimeMs,
    tagKeyCheck: keyChecks.tag,
    digestKeys: [],
    maxTokenTtlMs,
    leaseMs,
    longest: { tokenTtlMs: maxTokenTtlMs, leaseMs },
    former: { tokensEndMs: 0, leasesEndMs: 0 },
    oldestIssueMs: 0,
    changeId: '',
  };
}

export function toMeta(settings: StoreSettings, lastStoreTimeMs: number): StoreMeta {
  const { storeId, partitions, tagKeyCheck, digestKeys, maxTokenTtlMs, leaseMs, longest } = settings;
  return {
    ...{ storeId, partitions, tagKeyCheck, digestKeys, maxTokenTtlMs, leaseMs },
    isChanging: longest.tokenTtlMs !== maxTokenTtlMs || longest.leaseMs !== leaseMs,
    revocationsOverMs: revocationsOverMs(settings, lastStoreTimeMs),
    lastStoreTimeMs,
  };
}
