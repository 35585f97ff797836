// The one place that spells what the LMDB engine stores. One environment, named databases, binary keys and values,
// times in ms as 6 bytes, all big-endian:
//
//   entries  digest (16)                        -> expires_at (6), the entry (core/entry.ts)
//   log      number (8)                         -> random (8), kind (1), tag (8), before (6), issuer tag (8)
//   live     tag (8)                            -> before (6), expires_at (6), issuer tag (8)
//   expiry   what (1), expires_at (6), key      -> one byte that means nothing; what: e, u (unknown tombstone), l (live)
//   meta     "settings"                         -> JSON: layout and StoreSettings
//            "state"                            -> last store time (6), id of the settings (4), number of unknown
//                                                  tombstones (6), the log's last number and random (16)
import type { Digest } from '../core/key-ring.js';
import { requireLength } from './value-layout.js';

export const DATABASE_NAMES = ['entries', 'log', 'live', 'expiry', 'meta'] as const;
export type DatabaseName = (typeof DATABASE_NAMES)[number];
export const SETTINGS_KEY = Buffer.from('settings');
export const STATE_KEY = Buffer.from('state');
export const DIGEST_BYTES = 16;
const STATE_BYTES = 32;
export const EXPIRY_VALUE = Buffer.alloc(1);

/** What an expiry key stands for. */
export type Expiring = 'e' | 'u' | 'l';
/** Where expires_at is in the value of what expires. */
export const EXPIRES_AT: Readonly<Record<Expiring, number>> = { e: 0, u: 0, l: 6 };

/** What changes with every write; read with every read. */
export interface StoreState {
  lastStoreTimeMs: number;
  /** Random, and another one whenever the settings change: whoever knows it need not read them again. */
  settingsId: number;
  unknownTombstones: number;
  /** Of the log's last entry: its number and random bytes. */
  head: Buffer;
}

export function toDigestKey(digest: Digest): Buffer {
  return Buffer.from(digest, 'base64url');
}

export function toDigest(key: Buffer): Digest {
  return key.toString('base64url') as Digest;
}

export function encodeState(state: StoreState): Buffer {
  const bytes = Buffer.alloc(STATE_BYTES);
  bytes.writeUIntBE(state.lastStoreTimeMs, 0, 6);
  bytes.writeUInt32BE(state.settingsId, 6);
  bytes.writeUIntBE(state.unknownTombstones, 10, 6);
  state.head.copy(bytes, 16);
  return bytes;
}

export function decodeState(bytes: Buffer): StoreState {
  requireLength(bytes, STATE_BYTES);
  return {
    lastStoreTimeMs: bytes.readUIntBE(0, 6),
    settingsId: bytes.readUInt32BE(6),
    unknownTombstones: bytes.readUIntBE(10, 6),
    head: Buffer.from(bytes.subarray(16, 32)),
  };
}

export function encodeExpiryKey(what: Expiring, expiresAtMs: number, key: Uint8Array): Buffer {
  const bytes = Buffer.alloc(7 + key.length);
  bytes.write(what, 0, 'latin1');
  bytes.writeUIntBE(expiresAtMs, 1, 6);
  bytes.set(key, 7);
  return bytes;
}

export function decodeExpiryKey(bytes: Buffer): { readonly expiresAtMs: number; readonly key: Buffer } {
  return { expiresAtMs: bytes.readUIntBE(1, 6), key: bytes.subarray(7) };
}
