// What `store show` tells of a store.
import { formatDuration } from '../config/duration.js';
import type { KeyRing } from '../core/key-ring.js';
import type { DigestKeyUse } from '../core/token-store.js';
import { reservedForMs } from '../store/store-keys.js';
import type { StoreSummary } from '../store/store-meta.js';
import type { Row } from './terminal.js';

/** `keyRing`: that of the keys file at hand, where it could be read. */
export function describeStoreSummary({ meta, entries, storeTimeMs }: StoreSummary, keyRing: KeyRing | undefined): Row {
  const { maxTokenTtlMs, leaseMs } = meta;
  const toUse = ({ reservedMs, usedUntilMs }: DigestKeyUse): string => {
    if (storeTimeMs < reservedMs + reservedForMs(meta)) return 'written with';
    return usedUntilMs > storeTimeMs ? 'needed' : 'retired';
  };
  return {
    store_id: meta.storeId,
    partitions: meta.partitions,
    tag_key: { check: meta.tagKeyCheck, ...(keyRing && { in_keys_file: keyRing.checks.tag === meta.tagKeyCheck }) },
    digest_keys: meta.digestKeys.map((key) => ({
      check: key.check,
      use: toUse(key),
      needed_until: new Date(key.usedUntilMs).toISOString(),
      ...(keyRing && { in_keys_file: toPlace(keyRing, key.check) }),
    })),
    max_token_ttl: formatDuration(maxTokenTtlMs),
    lease: formatDuration(leaseMs),
    changing: meta.isChanging,
    store_time: new Date(storeTimeMs).toISOString(),
    last_store_time: new Date(meta.lastStoreTimeMs).toISOString(),
    entries,
  };
}

function toPlace({ checks }: KeyRing, check: string): 'first, writes' | 'below, is read' | 'no' {
  const place = checks.digests.indexOf(check);
  if (place < 0) return 'no';
  return place === 0 ? 'first, writes' : 'below, is read';
}
