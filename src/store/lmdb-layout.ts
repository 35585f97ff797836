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
import { StoreUnavailable } from '../core/errors.js';
import type { Digest, Tag } from '../core/key-ring.js';
import type { LoggedRevocation } from '../core/token-store.js';
import type { StoreSettings } from './store-meta.js';
import type { LiveRevocation, StoredEntry } from './store-transaction.js';

const LAYOUT = 1;
export const DATABASE_NAMES = ['entries', 'log', 'live', 'expiry', 'meta'] as const;
export type DatabaseName = (typeof DATABASE_NAMES)[number];
export const SETTINGS_KEY = Buffer.from('settings');
export const STATE_KEY = Buffer.from('state');
export const DIGEST_BYTES = 16;
/** Where the entry begins in a value of `entries`. */
export const ENTRY_OFFSET = 6;
const STATE_BYTES = 32;
const LOG_VALUE_BYTES = 31;
/** Of a log entry; the place in this list is what is stored. */
const LOG_KINDS = ['token', 'tag'] as const;
const LIVE_BYTES = 20;
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

export function encodeSettings(settings: StoreSettings): Buffer {
  return Buffer.from(JSON.stringify({ layout: LAYOUT, ...settings }));
}

/** Throws StoreUnavailable for a layout that this version does not know. */
export function decodeSettings(bytes: Buffer): StoreSettings {
  const { layout, ...settings } = JSON.parse(bytes.toString('utf8')) as StoreSettings & { readonly layout: number };
  if (layout !== LAYOUT) {
    throw new StoreUnavailable(
      `the store has layout ${layout}, this version of introspectd knows ${LAYOUT}: use the version that made the store`,
    );
  }
  return settings;
}

export function encodeEntry({ bytes, expiresAtMs }: StoredEntry): Buffer {
  const value = Buffer.allocUnsafe(ENTRY_OFFSET + bytes.length);
  value.writeUIntBE(expiresAtMs, 0, ENTRY_OFFSET);
  value.set(bytes, ENTRY_OFFSET);
  return value;
}

/** Of a value of `entries`. */
export function readExpiresAt(value: Buffer): number {
  // LMDB's buffer is longer than the value in it: reading beyond the end would not fail, but invent a time.
  if (value.length <= ENTRY_OFFSET) throw corrupt();
  return value.readUIntBE(0, ENTRY_OFFSET);
}

/** `value` may be LMDB's own buffer, which the next get overwrites: the result is a copy. */
export function decodeEntry(value: Buffer): StoredEntry {
  return {
    expiresAtMs: readExpiresAt(value),
    bytes: Buffer.from(value.subarray(ENTRY_OFFSET, value.length)),
  };
}

export function encodeLogValue(random: Buffer, { kind, tag, beforeMs, issuerTag }: LoggedRevocation): Buffer {
  const value = Buffer.alloc(LOG_VALUE_BYTES);
  random.copy(value, 0, 0, 8);
  value[8] = LOG_KINDS.indexOf(kind);
  value.set(tag, 9);
  value.writeUIntBE(beforeMs, 17, 6);
  value.set(issuerTag, 23);
  return value;
}

export function decodeLogValue(value: Buffer): LoggedRevocation {
  requireLength(value, LOG_VALUE_BYTES);
  const kind = LOG_KINDS[value[8] ?? LOG_KINDS.length];
  if (kind === undefined) throw corrupt();
  return {
    kind,
    tag: value.subarray(9, 17) as Uint8Array as Tag,
    beforeMs: value.readUIntBE(17, 6),
    issuerTag: value.subarray(23, 31) as Uint8Array as Tag,
  };
}

export function encodeLive({ beforeMs, expiresAtMs, issuerTag }: LiveRevocation): Buffer {
  const value = Buffer.alloc(LIVE_BYTES);
  value.writeUIntBE(beforeMs, 0, 6);
  value.writeUIntBE(expiresAtMs, 6, 6);
  value.set(issuerTag, 12);
  return value;
}

export function decodeLive(tag: Tag, value: Buffer): LiveRevocation {
  requireLength(value, LIVE_BYTES);
  return {
    tag,
    beforeMs: value.readUIntBE(0, 6),
    expiresAtMs: value.readUIntBE(6, 6),
    issuerTag: Uint8Array.prototype.slice.call(value, 12, 20) as Tag,
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

function requireLength(value: Buffer, bytes: number): void {
  if (value.length !== bytes) throw corrupt();
}

function corrupt(): StoreUnavailable {
  return new StoreUnavailable('a value in the store has an unknown form; was it written by a newer version?');
}
