import type { Timestamp } from '../gen/google/protobuf/timestamp.js';

/** The last second of the year 9999, as google.protobuf.Timestamp bounds it. */
const MAX_SECONDS = 253402300799n;
const NANOS_PER_SECOND = 1_000_000_000;
const NANOS_PER_MS = 1_000_000;

/**
 * The first whole millisecond that is not before the instant: issue instants are whole milliseconds, so "issued before"
 * stays exact. Undefined for what is no instant from 1970 to 9999, and for 1970 itself, which is what a timestamp that
 * nobody has filled in says.
 */
export function parseIssuedBeforeMs({ seconds, nanos }: Timestamp): number | undefined {
  if (seconds < 0n || seconds > MAX_SECONDS || nanos < 0 || nanos >= NANOS_PER_SECOND) return undefined;
  const ms = Number(seconds) * 1000 + Math.ceil(nanos / NANOS_PER_MS);
  return ms === 0 ? undefined : ms;
}
