// All live tag revocations, in memory: what the judge asks besides the entry itself.
import type { Revocation } from './token-store.js';

export interface RevocationTable {
  /** Union by max(before): a narrow revocation never hides a broad one. */
  apply(revocations: readonly Revocation[], storeTimeMs: number): void;
  /** True when any of the concatenated 8-byte tags was revoked at or after the issue instant. */
  isRevoked(tags: Uint8Array, issueInstantMs: number): boolean;
  /** Forgets what was last seen before this store time, when nothing that it concerns can be valid any more. */
  expire(seenBeforeMs: number): void;
  readonly size: number;
}

interface Live {
  readonly beforeMs: number;
  readonly seenAtMs: number;
}

const TAG_BYTES = 8;

export function createRevocationTable(): RevocationTable {
  // Keyed by the tag as a number: exact on its 64 bits. Kept in the order of seenAtMs, so expiry stops at the first
  // entry that stays.
  const live = new Map<bigint, Live>();
  return {
    apply: (revocations, storeTimeMs) => {
      for (const { tag, beforeMs } of revocations) {
        const key = readTag(view(tag), 0);
        const known = live.get(key)?.beforeMs ?? 0;
        live.delete(key);
        live.set(key, { beforeMs: Math.max(known, beforeMs), seenAtMs: storeTimeMs });
      }
    },
    isRevoked: (tags, issueInstantMs) => {
      if (live.size === 0) return false;
      const bytes = view(tags);
      for (let offset = 0; offset < bytes.byteLength; offset += TAG_BYTES) {
        const known = live.get(readTag(bytes, offset));
        if (known !== undefined && issueInstantMs <= known.beforeMs) return true;
      }
      return false;
    },
    expire: (seenBeforeMs) => {
      for (const [key, { seenAtMs }] of live) {
        if (seenAtMs >= seenBeforeMs) return;
        live.delete(key);
      }
    },
    get size() {
      return live.size;
    },
  };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readTag(bytes: DataView, offset: number): bigint {
  return bytes.getBigUint64(offset);
}
