import { StoreUnavailable } from '../core/errors.js';

const VARINT = 0;
const BYTES = 2;

/**
 * Stored TokenClaims without the fields that a presence mask does not have. Copies whole fields in their order, which
 * is what decoding, dropping and encoding again would give, because we encoded them: fields of two wire types, no more.
 * Throws StoreUnavailable on bytes that cannot be read: a doubt is not an answer.
 */
export function filterClaims(claims: Uint8Array, visibleMask: number): Uint8Array {
  const source = Buffer.isBuffer(claims) ? claims : Buffer.from(claims.buffer, claims.byteOffset, claims.byteLength);
  const visible = Buffer.allocUnsafe(source.length);
  let length = 0;
  let at = 0;
  // Fields that are next to each other are copied together.
  let runStart = 0;
  while (at < source.length) {
    const fieldStart = at;
    let tag = source[at++] ?? 0;
    if (tag > 0x7f) {
      const high = source[at++] ?? 0xff;
      if (high > 0x7f) throw unreadable();
      tag = (tag & 0x7f) | (high << 7);
    }
    at = skipField(source, at, tag & 7);
    const field = tag >>> 3;
    if (field < 32 && (visibleMask & (1 << field)) !== 0) continue;
    length += source.copy(visible, length, runStart, fieldStart);
    runStart = at;
  }
  length += source.copy(visible, length, runStart, at);
  return visible.subarray(0, length);
}

/** Where the field ends. */
function skipField(source: Buffer, start: number, wireType: number): number {
  let at = start;
  let value = 0;
  let shift = 0;
  let byte = 0x80;
  while (byte > 0x7f) {
    byte = source[at++] ?? 0xff;
    if (at > source.length || shift > 63) throw unreadable();
    if (shift < 28) value |= (byte & 0x7f) << shift;
    shift += 7;
  }
  if (wireType === VARINT) return at;
  if (wireType !== BYTES || shift > 28 || at + value > source.length) throw unreadable();
  return at + value;
}

function unreadable(): StoreUnavailable {
  return new StoreUnavailable('the claims of a record cannot be read');
}
