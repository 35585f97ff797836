// A write as the rules see it (store-rules.ts): they look at what was read before and say what to write. The commit
// script writes it only if all they looked at is unchanged, so the rules run as if alone.
import { randomBytes } from 'node:crypto';
import type { Digest } from '../core/key-ring.js';
import type { Cursor } from '../core/token-store.js';
import type { RedisArgument, ScriptCall } from './redis-connection.js';
import { formatRedisCursor } from './redis-cursor.js';
import type { RedisKeys } from './redis-keys.js';
import type { StoreSettings } from './store-meta.js';
import { isUnknownTombstone } from './store-rules.js';
import type { LiveRevocation, StoredEntry, StoreTransaction } from './store-transaction.js';
import { decodeEntry, decodeLive, encodeEntry, encodeLive, encodeLogValue } from './value-layout.js';

/** What was read for a write. A key that is not in a map was not read yet; null = there is nothing. */
export interface RedisSnapshot {
  readonly storeTimeMs: number;
  readonly settings: StoreSettings;
  readonly entries: ReadonlyMap<Digest, Buffer | null>;
  /** By tag, hex. */
  readonly live: ReadonlyMap<string, Buffer | null>;
  readonly hasRoomForUnknown: boolean;
}

export interface RedisTransaction extends StoreTransaction {
  /** All that the rules looked at. What was not in the snapshot looked empty to them: read it, then run them again. */
  readonly looked: { readonly digests: ReadonlySet<Digest>; readonly tags: ReadonlySet<string> };
  readonly isComplete: () => boolean;
  /** Revokes what the store knows or may know: it must get through when Redis is full. */
  readonly takesAway: () => boolean;
  readonly toCall: (commit: CommitArguments) => ScriptCall;
  /** What the rules gave for a revision, once the log's ids are known. */
  readonly toRevision: (placeholder: Cursor, ids: readonly Buffer[]) => Cursor;
}

export interface CommitArguments {
  readonly settings: Buffer;
  /** By the clock of Redis, ms. */
  readonly deadlineMs: number;
  readonly logEntries: number;
  /** When Redis itself removes what ends at a store time. */
  readonly toRedisMs: (storeMs: number) => number;
}

export function createRedisTransaction(keys: RedisKeys, snapshot: RedisSnapshot): RedisTransaction {
  const { storeTimeMs } = snapshot;
  const looked = { digests: new Set<Digest>(), tags: new Set<string>() };
  const entries = new Map<Digest, StoredEntry>();
  const live = new Map<string, LiveRevocation>();
  const log: Buffer[] = [];
  let maxUnknown: number | undefined;

  /** Only who adds the tombstone of an unknown token asks whether there is room. */
  const addsUnknown = (): boolean => maxUnknown !== undefined && entries.size > 0;

  const toWrites = (digests: readonly Digest[], toRedisMs: CommitArguments['toRedisMs']): RedisArgument[] => [
    ...log.flatMap((value) => ['g', value]),
    ...[...live].flatMap(([tag, revocation]) => [
      'l',
      Buffer.from(tag, 'hex'),
      encodeLive(revocation),
      revocation.expiresAtMs,
    ]),
    ...[...entries].flatMap(([digest, entry]) => [
      'e',
      digests.indexOf(digest) + 1,
      encodeEntry(entry),
      toRedisMs(entry.expiresAtMs),
      toUnknownMark(entry, snapshot.entries.get(digest)),
    ]),
  ];

  return {
    storeTimeMs,
    settings: snapshot.settings,
    looked,
    isComplete: () =>
      [...looked.digests].every((digest) => snapshot.entries.has(digest)) &&
      [...looked.tags].every((tag) => snapshot.live.has(tag)),
    takesAway: () => log.length > 0 && !addsUnknown(),

    findEntry: (digest) => {
      looked.digests.add(digest);
      const written = entries.get(digest);
      const value = snapshot.entries.get(digest);
      return hideExpired(written ?? (value ? decodeEntry(value) : undefined), storeTimeMs);
    },
    putEntry: (digest, entry) => {
      looked.digests.add(digest);
      entries.set(digest, entry);
    },
    findLive: (tag) => {
      const key = Buffer.from(tag).toString('hex');
      looked.tags.add(key);
      const value = snapshot.live.get(key);
      return hideExpired(live.get(key) ?? (value ? decodeLive(tag, value) : undefined), storeTimeMs);
    },
    putLive: (revocation) => {
      const key = Buffer.from(revocation.tag).toString('hex');
      looked.tags.add(key);
      live.set(key, revocation);
    },
    appendLog: (revocation) => {
      log.push(encodeLogValue(randomBytes(8), revocation));
      // Its place in the log is not known before it is there; toRevision() gives it.
      return `#${log.length - 1}` as Cursor;
    },
    hasRoomForUnknownTombstone: (max) => {
      maxUnknown = max;
      return snapshot.hasRoomForUnknown;
    },

    toCall: ({ settings, deadlineMs, logEntries, toRedisMs }) => {
      const digests = [...looked.digests];
      const bound = addsUnknown() ? (maxUnknown ?? 0) : '';
      return {
        keys: [
          ...[keys.meta, keys.log, keys.live, keys.liveExpiry, keys.unknown],
          ...digests.map((digest) => keys.entry(digest)),
        ],
        args: [
          ...[settings, storeTimeMs, deadlineMs, logEntries, bound, looked.tags.size],
          ...digests.map((digest) => snapshot.entries.get(digest) ?? ''),
          ...[...looked.tags].flatMap((tag) => [Buffer.from(tag, 'hex'), snapshot.live.get(tag) ?? '']),
          ...toWrites(digests, toRedisMs),
        ],
      };
    },
    toRevision: (placeholder, ids) => {
      const index = Number(placeholder.slice(1));
      const [id, value] = [ids[index], log[index]];
      if (id === undefined || value === undefined) throw new Error('a revision of another transaction');
      return formatRedisCursor(id, value.subarray(0, 8));
    },
  };
}

/** What the commit script does to the list of unknown tombstones. */
function toUnknownMark(entry: StoredEntry, replaced: Buffer | null | undefined): RedisArgument {
  if (isUnknownTombstone(entry.bytes)) return entry.expiresAtMs;
  return replaced && isUnknownTombstone(decodeEntry(replaced).bytes) ? '-' : '';
}

function hideExpired<Value extends { readonly expiresAtMs: number }>(
  value: Value | undefined,
  storeTimeMs: number,
): Value | undefined {
  return value !== undefined && value.expiresAtMs > storeTimeMs ? value : undefined;
}
