// What the engine reads, as pipelines and the meaning of their replies. Knows no connection.
import { StoreUnavailable } from '../core/errors.js';
import type { Digest, Tag } from '../core/key-ring.js';
import type { Cursor, LogEntry, StoreRead } from '../core/token-store.js';
import { LIVE_CHUNK, LOG_PAGE } from './page-sizes.js';
import type { RedisCommand, RedisReply } from './redis-connection.js';
import { formatRedisCursor, parseRedisCursor } from './redis-cursor.js';
import type { RedisKeys } from './redis-keys.js';
import type { LiveRevocation } from './store-transaction.js';
import { decodeLive, decodeLogValue } from './value-layout.js';

/** What every pipeline ends with: the clock of Redis, and what the store says of itself. */
export interface RedisState {
  readonly redisMs: number;
  /** As it is stored; null when the store is gone. */
  readonly settings: Buffer | null;
  readonly lastStoreTimeMs: number;
}

export type RedisLog = Pick<StoreRead, 'revocations' | 'cursor' | 'reset' | 'more'>;

export function stateCommands(keys: RedisKeys): readonly RedisCommand[] {
  return [['TIME'], ['HMGET', keys.meta, 'settings', 'time']];
}

export function toState([time, meta]: readonly RedisReply[]): RedisState {
  const [seconds, micros] = toBuffers(time);
  const [settings = null, last = null] = toBuffers(meta);
  const redisMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  const lastStoreTimeMs = last === null ? 0 : Number(last);
  if (!Number.isSafeInteger(redisMs) || !Number.isSafeInteger(lastStoreTimeMs)) throw strange();
  return { redisMs, settings, lastStoreTimeMs };
}

/** The entries, before the log: what is found in them is true at the log read. */
export function entriesCommand(keys: RedisKeys, digests: readonly Digest[]): readonly RedisCommand[] {
  return digests.length === 0 ? [] : [['MGET', ...digests.map((digest) => keys.entry(digest))]];
}

/** From the very entry that the cursor stands on; without one the last, where a reset goes on from. */
export function logCommand(keys: RedisKeys, cursor: Cursor | undefined): RedisCommand {
  const position = cursor === undefined ? undefined : parseRedisCursor(cursor);
  if (position === undefined) return ['XREVRANGE', keys.log, '+', '-', 'COUNT', 1];
  return ['XRANGE', keys.log, position.id, '+', 'COUNT', LOG_PAGE + 1];
}

/** Undefined when the log is not there, or not where the cursor stands: without a cursor it tells which. */
export function toLog(reply: RedisReply | undefined, cursor: Cursor | undefined): RedisLog | undefined {
  const [first, ...rest] = toList(reply);
  if (first === undefined) return undefined;
  const position = cursor === undefined ? undefined : parseRedisCursor(cursor);
  if (cursor === undefined || position === undefined) {
    return { revocations: [], cursor: toLogEntry(first).cursor, reset: true, more: false };
  }
  const { id, value } = toLogItem(first);
  if (id.toString('latin1') !== position.id || !position.random.equals(value.subarray(0, 8))) return undefined;
  const revocations = rest.map(toLogEntry);
  return {
    revocations,
    cursor: revocations.at(-1)?.cursor ?? cursor,
    reset: false,
    more: rest.length === LOG_PAGE,
  };
}

export function liveCommand(keys: RedisKeys, from: string): RedisCommand {
  return ['HSCAN', keys.live, from, 'COUNT', LIVE_CHUNK];
}

/** A row may come twice, and one that was added meanwhile may not come at all: that one is in the log. */
export function toLivePage(reply: RedisReply | undefined): {
  readonly next: string;
  readonly live: readonly LiveRevocation[];
} {
  const [next, rows] = toList(reply);
  const fields = toBuffers(rows);
  const live: LiveRevocation[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [tag, value] = [fields[index], fields[index + 1]];
    if (tag?.length !== 8 || !value) throw strange();
    live.push(decodeLive(tag as Uint8Array as Tag, value));
  }
  return { next: String(next), live };
}

export function toKeyPage(reply: RedisReply | undefined): { readonly next: string; readonly count: number } {
  const [next, keys] = toList(reply);
  return { next: String(next), count: toList(keys).length };
}

export function toBuffers(reply: RedisReply | undefined): readonly (Buffer | null)[] {
  return toList(reply).map((item) => {
    if (item !== null && !Buffer.isBuffer(item)) throw strange();
    return item;
  });
}

function toLogEntry(item: RedisReply): LogEntry {
  const { id, value } = toLogItem(item);
  return { cursor: formatRedisCursor(id, value.subarray(0, 8)), ...decodeLogValue(value) };
}

function toLogItem(item: RedisReply): { readonly id: Buffer; readonly value: Buffer } {
  const [id, fields] = toList(item);
  const [, value] = toBuffers(fields);
  if (!Buffer.isBuffer(id) || !value) throw strange();
  return { id, value };
}

function toList(reply: RedisReply | undefined): readonly RedisReply[] {
  if (reply === null || reply === undefined || typeof reply === 'number' || Buffer.isBuffer(reply)) throw strange();
  return reply as readonly RedisReply[];
}

function strange(): StoreUnavailable {
  return new StoreUnavailable(
    'Redis gave a reply of an unknown form; is store.key_prefix shared with another program?',
  );
}
