// What a write leaves in the store, given what is there: the same for every engine that runs its rules in this process.
import {
  decodeEntry,
  encodeUnknownTombstone,
  findTag,
  isSameRegistration,
  stampRegisteredAt,
  toTombstone,
} from '../core/entry.js';
import type { Digest, Tag } from '../core/key-ring.js';
import {
  END_OF_TIME_MS,
  type LoggedRevocation,
  type RegisterEntry,
  type RegisterOutcome,
  type RevokeTagCommand,
  type RevokeTagResult,
  type RevokeTokenCommand,
  type RevokeTokenResult,
} from '../core/token-store.js';
import { NEVER_REUSED } from '../core/token-tags.js';
import type { StoredEntry, StoreTransaction } from './store-transaction.js';

const NO_TAG = Buffer.alloc(8) as Uint8Array as Tag;

/** A log is never empty: it begins with an entry that names nothing. */
export const FIRST_LOG_ENTRY: LoggedRevocation = { kind: 'tag', tag: NO_TAG, beforeMs: 0, issuerTag: NO_TAG };

interface Place {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly expiresAtMs: number;
}

export function registerEntry(transaction: StoreTransaction, { digests, record }: RegisterEntry): RegisterOutcome {
  const places = findPlaces(transaction, digests);
  if (places.some(({ bytes }) => decodeEntry(bytes).kind === 'tombstone')) return 'revoked';
  if (NEVER_REUSED.some((kind) => isLive(transaction, findTag(record, kind)))) return 'revoked';
  if (places.some(({ bytes }) => isSameRegistration(bytes, record))) return 'unchanged';
  if (places.length > 0) return 'exists';
  const bytes = Buffer.from(record);
  stampRegisteredAt(bytes, transaction.storeTimeMs);
  const { expMs, issueInstantMs } = decodeEntry(bytes);
  if (expMs - issueInstantMs > transaction.maxTokenTtlMs) return 'ttl_too_long';
  transaction.putEntry(writingDigest(digests), { bytes, expiresAtMs: expMs });
  return 'registered';
}

export function revokeToken(transaction: StoreTransaction, command: RevokeTokenCommand): RevokeTokenResult {
  const { digests, tokenTag, maxUnknownTombstones } = command;
  const places = findPlaces(transaction, digests);
  // A record and a tombstone can stand under two keys of the ring: neither may be left alive.
  const tombstones = places.map((place) => ({ digest: place.digest, entry: bury(transaction, place) }));
  if (tombstones.length === 0) {
    if (!transaction.hasRoomForUnknownTombstone(maxUnknownTombstones)) return { outcome: 'exhausted' };
    const bytes = encodeUnknownTombstone(tokenTag);
    const expiresAtMs = transaction.storeTimeMs + transaction.maxTokenTtlMs + transaction.leaseMs;
    tombstones.push({ digest: writingDigest(digests), entry: { bytes, expiresAtMs } });
  }
  const replaced = (places.find(({ bytes }) => decodeEntry(bytes).kind === 'record') ?? places[0])?.bytes;
  const issuerTag = (replaced && findTag(replaced, 'issuer')) ?? NO_TAG;
  for (const { digest, entry } of tombstones) transaction.putEntry(digest, entry);
  let revision = transaction.appendLog({ kind: 'token', tag: tokenTag, beforeMs: END_OF_TIME_MS, issuerTag });
  for (const tag of findGrants(places))
    ({ revision } = revokeLive(transaction, { tag, issuerTag, beforeMs: END_OF_TIME_MS }));
  return { outcome: 'revoked', revision, leasesEndInMs: transaction.leaseMs, replaced };
}

export function revokeTag(transaction: StoreTransaction, command: RevokeTagCommand): RevokeTagResult {
  return revokeLive(transaction, { ...command, beforeMs: command.beforeMs ?? transaction.storeTimeMs });
}

/** Engines bound and count these; a record always has an exp. */
export function isUnknownTombstone(bytes: Uint8Array): boolean {
  const entry = decodeEntry(bytes);
  return entry.kind === 'tombstone' && entry.expMs === 0;
}

function revokeLive(
  transaction: StoreTransaction,
  { tag, issuerTag, beforeMs }: { readonly tag: Tag; readonly issuerTag: Tag; readonly beforeMs: number },
): RevokeTagResult {
  const there = transaction.findLive(tag);
  const expiresAtMs = transaction.storeTimeMs + transaction.maxTokenTtlMs + transaction.leaseMs;
  const revocation = { tag, issuerTag, beforeMs: Math.max(beforeMs, there?.beforeMs ?? 0) };
  transaction.putLive({ ...revocation, expiresAtMs: Math.max(expiresAtMs, there?.expiresAtMs ?? 0) });
  const revision = transaction.appendLog({ kind: 'tag', ...revocation });
  return { revision, leasesEndInMs: transaction.leaseMs, beforeMs: revocation.beforeMs };
}

/** The tombstone for what stands there. A repeat never shortens its life. */
function bury(transaction: StoreTransaction, place: Place): StoredEntry {
  const bytes = toTombstone(place.bytes);
  const { expMs } = decodeEntry(bytes);
  const endMs = expMs === 0 ? transaction.storeTimeMs + transaction.maxTokenTtlMs : expMs;
  return { bytes, expiresAtMs: Math.max(place.expiresAtMs, endMs + transaction.leaseMs) };
}

function findPlaces(transaction: StoreTransaction, digests: readonly Digest[]): readonly Place[] {
  return digests.flatMap((digest) => {
    const entry = transaction.findEntry(digest);
    return entry === undefined ? [] : { digest, ...entry };
  });
}

/** RFC 7009 §2.1: a revoked refresh token takes along what was issued for the same grant. */
function findGrants(places: readonly Place[]): readonly Tag[] {
  const grants = new Map<string, Tag>();
  for (const { bytes } of places) {
    const tag = decodeEntry(bytes).tokenUse === 'refresh_token' ? findTag(bytes, 'grant') : undefined;
    if (tag !== undefined) grants.set(Buffer.from(tag).toString('hex'), tag);
  }
  return [...grants.values()];
}

function isLive(transaction: StoreTransaction, tag: Tag | undefined): boolean {
  return tag !== undefined && transaction.findLive(tag) !== undefined;
}

function writingDigest(digests: readonly Digest[]): Digest {
  const [digest] = digests;
  if (digest === undefined) throw new Error('an entry has a digest under every ring key');
  return digest;
}
