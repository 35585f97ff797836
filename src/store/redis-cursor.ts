// The cursor of the Redis engine: 24 bytes, the two numbers of a stream id (8 each, big-endian) and the entry's 8 random
// bytes, as base64url.
import type { Cursor } from '../core/token-store.js';

const FORM = /^[A-Za-z0-9_-]{32}$/;
const STREAM_ID = /^(\d{1,20})-(\d{1,20})$/;

export interface RedisPosition {
  /** `ms-number`, as Redis spells it. */
  readonly id: string;
  readonly random: Buffer;
}

export function formatRedisCursor(id: Buffer, random: Uint8Array): Cursor {
  const [, ms, sequence] = STREAM_ID.exec(id.toString('latin1')) ?? [];
  if (ms === undefined || sequence === undefined) throw new Error('not the id of an entry in a stream');
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64BE(BigInt(ms), 0);
  bytes.writeBigUInt64BE(BigInt(sequence), 8);
  bytes.set(random, 16);
  return bytes.toString('base64url') as Cursor;
}

/** Undefined for anything that this engine did not write: such a cursor stands nowhere, which is a reset. */
export function parseRedisCursor(cursor: Cursor): RedisPosition | undefined {
  if (!FORM.test(cursor)) return undefined;
  const bytes = Buffer.from(cursor, 'base64url');
  return { id: `${bytes.readBigUInt64BE(0)}-${bytes.readBigUInt64BE(8)}`, random: bytes.subarray(16) };
}
