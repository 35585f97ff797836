// The contract once more, as naively as it can be said: what a store answers, without indexes, cursors or bytes.
import { decodeEntry, type Entry, findTag } from '../../src/core/entry.js';
import type { Digest, KeyRing, Tag } from '../../src/core/key-ring.js';
import {
  type Cursor,
  END_OF_TIME_MS,
  type LoggedRevocation,
  type RegisterEntry,
  type RegisterOutcome,
  type Revocation,
  type RevokeTagCommand,
  type RevokeTokenCommand,
} from '../../src/core/token-store.js';
import { reservedForMs } from '../../src/store/store-keys.js';
import { Chronicle } from './chronicle.js';
import { ISSUER_TAG, NO_TAG } from './fixtures.js';
import { LEASE_MS, MAX_TOKEN_TTL_MS, RINGS } from './harness.js';

/** lacks: it must refuse. perhaps: what stands under a key that it lacks may be over, which the store knows by the hour. */
export type KeysFit = 'fits' | 'lacks' | 'perhaps';

interface Standing {
  /** Check of the digest key that it stands under. */
  readonly key: string;
  /** The record as it was registered; undefined for the tombstone of an unknown token. */
  readonly record: Buffer | undefined;
  readonly registeredAtMs: number;
  readonly isTombstone: boolean;
  readonly expiresAtMs: number;
}

interface Place {
  readonly epoch: number;
  readonly index: number;
}

const hex = (tag: Uint8Array): string => Buffer.from(tag).toString('hex');
const FOREVER_MS = MAX_TOKEN_TTL_MS + LEASE_MS;
const RESERVED_FOR_MS = reservedForMs({ maxTokenTtlMs: MAX_TOKEN_TTL_MS });

export class StoreModel {
  clockMs: number;
  lastStoreTimeMs = 0;
  /** What each handle has told: no handle takes it back. */
  readonly toldMs = [0, 0];
  /** The keys of each handle, as a place in RINGS. */
  readonly rings = [0, 0];
  readonly chronicle = new Chronicle(FOREVER_MS);
  /** Checks of the digest keys, and when somebody who writes with each was last there. */
  readonly #keysMs = new Map<string, number>();
  readonly #logEntries: number;
  readonly #entries = new Map<Digest, Standing>();
  readonly #live = new Map<string, Revocation & { readonly expiresAtMs: number }>();
  readonly #places = new Map<Cursor, Place>();
  /** Starts with the entry that names nothing; empty = there is no store. */
  #log: (LoggedRevocation | undefined)[] = [];
  #firstKept = 0;
  #epoch = 0;

  constructor(clockMs: number, logEntries: number) {
    this.clockMs = clockMs;
    this.#logEntries = logEntries;
  }

  /** The store's time for a handle, which makes the store where there is none. */
  now(handle: number): number {
    const nowMs = this.#peek(handle);
    this.toldMs[handle] = nowMs;
    this.#keysMs.set(this.#writingKey(handle), nowMs);
    if (this.#log.length === 0) {
      this.#log.push(undefined);
      this.lastStoreTimeMs = nowMs;
    }
    return nowMs;
  }

  /** A daemon that starts has told nothing yet, and knows nothing. */
  open(handle: number, ring = this.rings[handle] ?? 0): void {
    this.rings[handle] = ring;
    this.toldMs[handle] = 0;
    this.chronicle.start(handle);
    this.touch(handle);
  }

  /** What every call does first. */
  touch(handle: number): void {
    if (this.#log.length === 0) this.now(handle);
    this.#keysMs.set(this.#writingKey(handle), this.#peek(handle));
  }

  ring(handle: number): KeyRing {
    const ring = RINGS[this.rings[handle] ?? 0];
    if (ring === undefined) throw new Error('a handle has keys');
    return ring;
  }

  fits(handle: number, ring = this.ring(handle)): KeysFit {
    const nowMs = this.#peek(handle);
    const { digests } = ring.checks;
    const standing = [...this.#entries.values()].filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    if (standing.some(({ key }) => !digests.includes(key))) return 'lacks';
    const missing = [...this.#keysMs].filter(([key]) => !digests.includes(key));
    // A store judges keys by its own time; a handle may have told a later one before a clock went back.
    const storeMs = Math.max(this.clockMs, this.lastStoreTimeMs);
    return missing.some(([, usedMs]) => storeMs < usedMs + FOREVER_MS + RESERVED_FOR_MS) ? 'perhaps' : 'fits';
  }

  register(handle: number, entries: readonly RegisterEntry[]): readonly RegisterOutcome[] {
    this.#move(handle);
    return entries.map((entry) => this.#registerOne(entry, this.#writingKey(handle)));
  }

  /** The revocations that the log is told, or undefined for `exhausted`. */
  revokeToken(handle: number, { digests, tokenTag, maxUnknownTombstones }: RevokeTokenCommand) {
    const nowMs = this.#move(handle);
    const there = digests.flatMap((digest) => ({ digest, standing: this.#find(digest, nowMs) }));
    const found = there.flatMap(({ digest, standing }) => (standing ? [{ digest, standing }] : []));
    if (found.length === 0 && this.#countUnknown(nowMs) >= maxUnknownTombstones) return undefined;
    this.chronicle.revokeToken(tokenTag, nowMs);
    const replaced = (found.find(({ standing }) => !standing.isTombstone) ?? found[0])?.standing;
    for (const { digest, standing } of found) this.#entries.set(digest, { ...standing, isTombstone: true });
    const [writing] = digests;
    const written = found.find(({ digest }) => digest === writing)?.standing;
    const buried = replaced ?? { record: undefined, registeredAtMs: 0 };
    const endMs = buried.record ? decodeEntry(buried.record).expMs + LEASE_MS : nowMs + FOREVER_MS;
    const expiresAtMs = Math.max(written?.expiresAtMs ?? 0, endMs);
    if (writing) {
      const key = this.#writingKey(handle);
      this.#entries.set(writing, { ...buried, key, isTombstone: true, expiresAtMs });
    }
    const issuerTag = replaced?.record === undefined ? NO_TAG : ISSUER_TAG;
    this.#append({ kind: 'token', tag: tokenTag, beforeMs: END_OF_TIME_MS, issuerTag });
    const grants = new Map<string, Tag>();
    for (const { record } of found.map(({ standing }) => standing)) {
      const isRefresh = record !== undefined && decodeEntry(record).tokenUse === 'refresh_token';
      const grant = isRefresh ? findTag(record, 'grant') : undefined;
      if (grant) grants.set(hex(grant), grant);
    }
    for (const tag of grants.values()) this.#revoke({ tag, beforeMs: END_OF_TIME_MS, issuerTag }, nowMs);
    return { replaced: replaced && this.#describe(replaced), grants: grants.size };
  }

  revokeTag(handle: number, { tag, issuerTag, beforeMs }: RevokeTagCommand): number {
    const nowMs = this.#move(handle);
    return this.#revoke({ tag, issuerTag, beforeMs: beforeMs ?? nowMs }, nowMs);
  }

  answer(handle: number, tokenTag: Tag, serverMs: number) {
    return this.chronicle.answer(handle, tokenTag, { storeMs: this.now(handle), serverMs });
  }

  read(handle: number, digests: readonly Digest[], cursor: Cursor | undefined) {
    const nowMs = this.now(handle);
    const place = cursor === undefined ? undefined : this.#places.get(cursor);
    const isThere = place !== undefined && place.epoch === this.#epoch && place.index >= this.#firstKept;
    return {
      entries: digests.map((digest) => {
        const standing = this.#find(digest, nowMs);
        return standing && this.#describe(standing);
      }),
      revocations: isThere ? this.#log.slice(place.index + 1) : [],
      reset: !isThere,
      storeTimeMs: nowMs,
    };
  }

  loadRevocations(handle: number): readonly Revocation[] {
    const nowMs = this.now(handle);
    const live = [...this.#live.values()].filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    return live.map(({ tag, beforeMs, issuerTag }) => ({ tag, beforeMs, issuerTag }));
  }

  /** The engine gave this cursor for the end of the log. */
  rememberEnd(cursor: Cursor): void {
    this.#places.set(cursor, { epoch: this.#epoch, index: this.#log.length - 1 });
  }

  get cursors(): readonly Cursor[] {
    return [...this.#places.keys()];
  }

  wipe(): void {
    this.chronicle.wipe();
    this.#entries.clear();
    this.#live.clear();
    this.#keysMs.clear();
    this.#log = [];
    this.#firstKept = 0;
    this.#epoch += 1;
    this.lastStoreTimeMs = 0;
  }

  trim(): void {
    this.#firstKept = Math.max(0, this.#log.length - 1);
  }

  /** The store's time for a handle, without telling it. */
  #peek(handle: number): number {
    return Math.max(this.toldMs[handle] ?? 0, this.clockMs, this.lastStoreTimeMs);
  }

  #writingKey(handle: number): string {
    return this.ring(handle).checks.digests[0] ?? '';
  }

  #move(handle: number): number {
    this.lastStoreTimeMs = this.now(handle);
    return this.lastStoreTimeMs;
  }

  #registerOne({ digests, record }: RegisterEntry, key: string): RegisterOutcome {
    const nowMs = this.lastStoreTimeMs;
    const found = digests.flatMap((digest) => this.#find(digest, nowMs) ?? []);
    if (found.some(({ isTombstone }) => isTombstone)) return 'revoked';
    for (const kind of ['jti', 'grant', 'session'] as const) {
      const tag = findTag(record, kind);
      const live = tag && this.#live.get(hex(tag));
      if (live && live.expiresAtMs > nowMs) return 'revoked';
    }
    if (found.some((standing) => standing.record?.equals(record))) return 'unchanged';
    if (found.length > 0) return 'exists';
    const { expMs } = decodeEntry(record);
    if (expMs - Math.min(nowMs, claimedIssueMs(record)) > MAX_TOKEN_TTL_MS) return 'ttl_too_long';
    const [digest] = digests;
    const standing = {
      key,
      record,
      registeredAtMs: nowMs,
      isTombstone: false,
      expiresAtMs: expMs,
    };
    if (digest) this.#entries.set(digest, standing);
    this.chronicle.register(record, nowMs);
    return 'registered';
  }

  #revoke(revocation: Revocation, nowMs: number): number {
    this.chronicle.revokeTag(revocation, nowMs);
    const there = this.#live.get(hex(revocation.tag));
    const live = there && there.expiresAtMs > nowMs ? there : undefined;
    const beforeMs = Math.max(revocation.beforeMs, live?.beforeMs ?? 0);
    const expiresAtMs = Math.max(nowMs + FOREVER_MS, live?.expiresAtMs ?? 0);
    this.#live.set(hex(revocation.tag), { ...revocation, beforeMs, expiresAtMs });
    this.#append({ kind: 'tag', ...revocation, beforeMs });
    return beforeMs;
  }

  #append(revocation: LoggedRevocation): void {
    this.#log.push(revocation);
    this.#firstKept = Math.max(this.#firstKept, this.#log.length - this.#logEntries);
  }

  #find(digest: Digest, nowMs: number): Standing | undefined {
    const standing = this.#entries.get(digest);
    return standing && standing.expiresAtMs > nowMs ? standing : undefined;
  }

  #countUnknown(nowMs: number): number {
    const standing = [...this.#entries.values()];
    return standing.filter(({ record, expiresAtMs }) => record === undefined && expiresAtMs > nowMs).length;
  }

  #describe({ record, registeredAtMs, isTombstone }: Standing) {
    if (record === undefined) return { kind: 'tombstone', iss: '', tags: '' };
    const entry = decodeEntry(record);
    const kind = isTombstone ? 'tombstone' : 'record';
    return describeEntry({
      ...entry,
      kind,
      issueInstantMs: Math.min(registeredAtMs, claimedIssueMs(record)),
      claims: isTombstone ? new Uint8Array(0) : entry.claims,
    });
  }
}

/** What matters of an entry, whether it is the model's or the engine's. */
export function describeEntry(entry: Entry) {
  const { kind, iss, aud, tokenUse, issueInstantMs, expMs } = entry;
  if (iss === '') return { kind, iss, tags: hex(entry.tags) };
  return { kind, iss, aud, tokenUse, issueInstantMs, expMs, tags: hex(entry.tags), claims: hex(entry.claims) };
}

function claimedIssueMs(record: Buffer): number {
  return record.readUIntBE(9, 6);
}
