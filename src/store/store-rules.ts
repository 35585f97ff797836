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
import { leasesEndInMs, revocationEndMs } from './store-lifetimes.js';
import type { StoreSettings } from './store-meta.js';
import type { StoredEntry, StoreTransaction } from './store-transaction.js';

const NO_TAG = Buffer.alloc(8) as Uint8Array as Tag;

/** A log is never empty: it begins with an entry that names nothing. */
export const FIRST_LOG_ENTRY: LoggedRevocation = { kind: 'tag', tag: NO_TAG, beforeMs: 0, issuerTag: NO_TAG };

interface Place {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly expiresAtMs: number;
}

/** What a registration depends on: of a write transaction, or of one moment of the store. */
export interface RegistrationView {
  readonly storeTimeMs: number;
  readonly settings: Pick<StoreSettings, 'maxTokenTtlMs' | 'oldestIssueMs'>;
  findEntry(digest: Digest): Pick<StoredEntry, 'bytes'> | undefined;
  findLive(tag: Tag): object | undefined;
}

export function registerEntry(transaction: StoreTransaction, entry: RegisterEntry): RegisterOutcome {
  const { outcome, stamped } = judgeRegistration(transaction, entry);
  if (stamped !== undefined) {
    transaction.putEntry(writingDigest(entry.digests), { bytes: stamped, expiresAtMs: decodeEntry(stamped).expMs });
  }
  return outcome;
}

/** What registerEntry() would say. */
export function rehearseRegistration(view: RegistrationView, entry: RegisterEntry): RegisterOutcome {
  return judgeRegistration(view, entry).outcome;
}

/** `stamped` is what there is to write. */
function judgeRegistration(
  view: RegistrationView,
  { digests, record }: RegisterEntry,
): { readonly outcome: RegisterOutcome; readonly stamped?: Buffer } {
  const places = digests.flatMap((digest) => view.findEntry(digest) ?? []);
  if (places.some(({ bytes }) => decodeEntry(bytes).kind === 'tombstone')) return { outcome: 'revoked' };
  if (NEVER_REUSED.some((kind) => isLive(view, findTag(record, kind)))) return { outcome: 'revoked' };
  if (places.some(({ bytes }) => isSameRegistration(bytes, record))) return { outcome: 'unchanged' };
  if (places.length > 0) return { outcome: 'exists' };
  const stamped = Buffer.from(record);
  stampRegisteredAt(stamped, view.storeTimeMs);
  const { expMs, issueInstantMs } = decodeEntry(stamped);
  const { maxTokenTtlMs, oldestIssueMs } = view.settings;
  if (expMs - issueInstantMs > maxTokenTtlMs) return { outcome: 'ttl_too_long' };
  if (issueInstantMs < oldestIssueMs && expMs > view.storeTimeMs) return { outcome: 'ttl_too_long' };
  return { outcome: 'registered', stamped };
}

export function revokeToken(transaction: StoreTransaction, command: RevokeTokenCommand): RevokeTokenResult {
  const { digests, tokenTag, issuerTag: toIssuerTag, maxUnknownTombstones } = command;
  const places = findPlaces(transaction, digests);
  const writing = writingDigest(digests);
  if (places.length === 0 && !transaction.hasRoomForUnknownTombstone(maxUnknownTombstones)) {
    return { outcome: 'exhausted' };
  }
  const replaced = (places.find(({ bytes }) => decodeEntry(bytes).kind === 'record') ?? places[0])?.bytes;
  // A record and a tombstone can stand under two keys of the ring: neither may be left alive.
  for (const { digest, bytes, expiresAtMs } of places) {
    if (digest !== writing) transaction.putEntry(digest, { bytes: toTombstone(bytes), expiresAtMs });
  }
  // Whatever must outlast what stands there goes under the key that this daemon writes with: another may be near the
  // end of its use, and nobody who lacks it then would see the tombstone.
  const there = places.find(({ digest }) => digest === writing);
  transaction.putEntry(writing, bury(transaction, replaced ?? encodeUnknownTombstone(), there));
  const iss = replaced === undefined ? '' : decodeEntry(replaced).iss;
  const issuerTag = iss === '' ? NO_TAG : toIssuerTag(iss);
  let revision = transaction.appendLog({ kind: 'token', tag: tokenTag, beforeMs: END_OF_TIME_MS, issuerTag });
  for (const tag of findGrants(places))
    ({ revision } = revokeLive(transaction, { tag, issuerTag, beforeMs: END_OF_TIME_MS }));
  const { settings, storeTimeMs } = transaction;
  return { outcome: 'revoked', revision, leasesEndInMs: leasesEndInMs(settings, storeTimeMs), replaced };
}

export function revokeTag(
  transaction: StoreTransaction,
  { tag, issuerTag, beforeMs = transaction.storeTimeMs }: RevokeTagCommand,
): RevokeTagResult {
  return revokeLive(transaction, { tag, issuerTag, beforeMs });
}

/** Live revocations and unknown tombstones that are to last as long as if they were said again; how many there were. */
export function extendRevocations(
  transaction: StoreTransaction,
  { digests, tags }: { readonly digests: readonly Digest[]; readonly tags: readonly Tag[] },
  endMs: number,
): number {
  let count = 0;
  for (const tag of tags) {
    const live = transaction.findLive(tag);
    if (live === undefined || live.expiresAtMs >= endMs) continue;
    transaction.putLive({ ...live, expiresAtMs: endMs });
    count += 1;
  }
  for (const digest of digests) {
    const entry = transaction.findEntry(digest);
    if (entry === undefined || entry.expiresAtMs >= endMs || !isUnknownTombstone(entry.bytes)) continue;
    transaction.putEntry(digest, { ...entry, expiresAtMs: endMs });
    count += 1;
  }
  return count;
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
  const { settings, storeTimeMs } = transaction;
  const there = transaction.findLive(tag);
  const expiresAtMs = revocationEndMs(settings, storeTimeMs);
  const revocation = { tag, issuerTag, beforeMs: Math.max(beforeMs, there?.beforeMs ?? 0) };
  transaction.putLive({ expiresAtMs: Math.max(expiresAtMs, there?.expiresAtMs ?? 0), ...revocation });
  const revision = transaction.appendLog({ kind: 'tag', ...revocation });
  return { revision, leasesEndInMs: leasesEndInMs(settings, storeTimeMs), beforeMs: revocation.beforeMs };
}

/** The tombstone for what was found. A repeat never shortens the life of one that is there. */
function bury({ settings, storeTimeMs }: StoreTransaction, found: Uint8Array, there: Place | undefined): StoredEntry {
  const bytes = toTombstone(found);
  const { expMs } = decodeEntry(bytes);
  const endMs = expMs === 0 ? revocationEndMs(settings, storeTimeMs) : expMs + settings.longest.leaseMs;
  return { bytes, expiresAtMs: Math.max(there?.expiresAtMs ?? 0, endMs) };
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

function isLive(view: RegistrationView, tag: Tag | undefined): boolean {
  return tag !== undefined && view.findLive(tag) !== undefined;
}

function writingDigest(digests: readonly Digest[]): Digest {
  const [digest] = digests;
  if (digest === undefined) throw new Error('an entry has a digest under every ring key');
  return digest;
}
