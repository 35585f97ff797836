// The cursor of the embedded engines: 16 bytes, an entry's number (8, big-endian) and its 8 random bytes, as base64url.
import type { Cursor } from '../core/token-store.js';

export const CURSOR_BYTES = 16;
export const LOG_ID_BYTES = 8;
const FORM = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Big-endian, so that LMDB keeps the log in order; the upper two bytes stay zero. */
export function encodeLogId(id: number): Buffer {
  const bytes = Buffer.alloc(LOG_ID_BYTES);
  bytes.writeUIntBE(id, 2, 6);
  return bytes;
}

export function decodeLogId(bytes: Buffer): number {
  return bytes.readUIntBE(2, 6);
}

export function formatCursor(bytes: Buffer): Cursor {
  return bytes.toString('base64url') as Cursor;
}

/** Undefined for anything that no embedded engine wrote: such a cursor stands nowhere, which is a reset. */
export function parseCursor(cursor: Cursor): Buffer | undefined {
  return FORM.test(cursor) ? Buffer.from(cursor, 'base64url') : undefined;
}
