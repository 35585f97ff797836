// The values that the engines store, binary and big-endian, times in ms as 6 bytes:
//
//   entry     expires_at (6), the entry (core/entry.ts)
//   log       random (8), kind (1), tag (8), before (6), issuer tag (8)
//   live      before (6), expires_at (6), issuer tag (8)
//   settings  JSON: layout and StoreSettings
import { readMs } from '../core/big-endian.js';
import { StoreUnavailable } from '../core/errors.js';
import type { Tag } from '../core/key-ring.js';
import type { LoggedRevocation } from '../core/token-store.js';
import type { StoreSettings } from './store-meta.js';
import type { LiveRevocation, StoredEntry } from './store-transaction.js';

const LAYOUT = 3;
/** Where the entry begins in its value. */
export const ENTRY_OFFSET = 6;
const LOG_VALUE_BYTES = 31;
/** Of a log entry; the place in this list is what is stored. */
const LOG_KINDS = ['token', 'tag'] as const;
const LIVE_BYTES = 20;

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

/** Of the value of an entry. */
export function readExpiresAt(value: Buffer): number {
  // LMDB's buffer is longer than the value in it: reading beyond the end would not fail, but invent a time.
  if (value.length <= ENTRY_OFFSET) throw corrupt();
  return readMs(value, 0);
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

export function requireLength(value: Buffer, bytes: number): void {
  if (value.length !== bytes) throw corrupt();
}

function corrupt(): StoreUnavailable {
  return new StoreUnavailable('a value in the store has an unknown form; was it written by a newer version?');
}
