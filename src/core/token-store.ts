// The contract between the rules and the engines (memory, LMDB, Redis). What it excludes: keys, connections,
// transactions, and any judgement of whether a token is active.
import type { Digest, Tag } from './key-ring.js';

/** (tag, before): everything that carries this tag and was issued at or before that instant (ms) is dead. */
export interface Revocation {
  readonly tag: Tag;
  readonly beforeMs: number;
  /** Whose event it is, for watchers; all zeros for a token that was never registered. */
  readonly issuerTag: Tag;
}

/** A revocation as the log has it, for caches and for tables. */
export interface LoggedRevocation extends Revocation {
  /** token: of one token, whose tombstone says so to every read; a table need not know it. tag: of all that carry it. */
  readonly kind: 'token' | 'tag';
}

/** A revocation at its place in the log. */
export interface LogEntry extends LoggedRevocation {
  /** Stands on this very entry. */
  readonly cursor: Cursor;
}

/** The end of time, ms: tokens, jtis, grants and sessions are never reused, so their revocations have no end. */
export const END_OF_TIME_MS = 253402300799999;

/** Stands on one entry of the log: its id and 8 random bytes. Made and read by the engine alone; also a `revision`. */
export type Cursor = string & { readonly __brand: 'Cursor' };

export interface StoreRead {
  /** As many as the digests, in their order: an entry's bytes (core/entry.ts), or undefined where there is none. */
  readonly entries: readonly (Uint8Array | undefined)[];
  /** What the log says after the cursor, in its order; empty on a reset. */
  readonly revocations: readonly LogEntry[];
  /** Where the log was read to: the last of the revocations, or where the reader stood already. */
  readonly cursor: Cursor;
  /** The log did not begin with the entry that the cursor stood on: load the live revocations, then answer. */
  readonly reset: boolean;
  /** A full page of the log proves nothing: apply it and read again from `cursor`. */
  readonly more: boolean;
  /** max(store clock, last time this store used), ms. Never steps back. */
  readonly storeTimeMs: number;
  /** The store's lease at this moment, ms: what may be granted to a cache on the strength of this read. */
  readonly leaseMs: number;
}

export interface RegisterEntry {
  /** Under every ring key, the writing one first. */
  readonly digests: readonly Digest[];
  /** encodeRecord()'s bytes; the store stamps registered_at. */
  readonly record: Buffer;
}

/**
 * registered: written. unchanged: an equal record is there, nothing was written. exists: a different one is there.
 * revoked: a tombstone, or a live revocation of its jti, grant or session tag, is there. ttl_too_long: exp is further
 * from the issue instant than max_token_ttl, or the token was issued before what the store still knows of revocations
 * (which happens when max_token_ttl was raised).
 */
export type RegisterOutcome = 'registered' | 'unchanged' | 'exists' | 'revoked' | 'ttl_too_long';

export interface RevokeTokenCommand {
  /** Under every ring key, the writing one first. */
  readonly digests: readonly Digest[];
  readonly tokenTag: Tag;
  /** What a watcher of the issuer looks for in the log: of the iss of what is replaced. */
  readonly issuerTag: (iss: string) => Tag;
  /** How many tombstones of tokens that were never registered the store may hold. */
  readonly maxUnknownTombstones: number;
}

/** A revocation that is durable, and in the log. */
export interface Committed {
  readonly revision: Cursor;
  /** Every lease that was granted on a read before this commit is over so many ms after it. */
  readonly leasesEndInMs: number;
}

/** `exhausted`: the token is unknown, and there is no room for its tombstone. Nothing was written. */
export type RevokeTokenResult =
  | (Committed & { readonly outcome: 'revoked'; readonly replaced: Uint8Array | undefined })
  | { readonly outcome: 'exhausted' };

export interface RevokeTagCommand {
  readonly tag: Tag;
  readonly issuerTag: Tag;
  /** Undefined = the store's time at commit. */
  readonly beforeMs: number | undefined;
}

export interface RevokeTagResult extends Committed {
  /** What now holds for the tag: the command's, or a later one that was there. */
  readonly beforeMs: number;
}

/** Store times, ms. */
export interface DigestKeyUse {
  readonly check: string;
  /** When a writer last reserved it: once an hour while it writes. */
  readonly reservedMs: number;
  /** No entry stands under the key beyond it. Moved ahead by whoever writes with the key, before it does. */
  readonly usedUntilMs: number;
}

export interface StoreMeta {
  readonly storeId: string;
  readonly partitions: number;
  readonly tagKeyCheck: string;
  /** The keys that entries may stand under, and those whose time is over; a daemon that lacks one of the first is refused. */
  readonly digestKeys: readonly DigestKeyUse[];
  readonly maxTokenTtlMs: number;
  readonly leaseMs: number;
  /** A change of the two is under way, or was cut off: until it is made again the store reckons with the larger. */
  readonly isChanging: boolean;
  /** Revocations said before this store time concern nothing that can be valid; 0 while that cannot be told. */
  readonly revocationsOverMs: number;
  readonly lastStoreTimeMs: number;
}

/** One at a time. Milliseconds. */
export type BoundsChange = { readonly maxTokenTtlMs: number } | { readonly leaseMs: number };

/**
 * Every engine passes test/store/conformance.ts. Every transport fault, and every entry of an unknown form, is
 * StoreUnavailable; a missing entry is undefined, never an error.
 *
 * Entries, tombstones and live revocations expire by the store's time (a record and its tombstone at exp, a tombstone
 * with a lease on top; the rest when nothing that they concern can be valid), and an expired one is as if it were not
 * there. Log and meta do not expire; the log is trimmed but never empty.
 */
export interface TokenStore {
  /**
   * One round trip. Entries are read before the log, so the answer is true at the log read. The log read is inclusive:
   * it must begin with the very entry that the cursor stands on, else `reset`. Undefined = no cursor yet: a reset.
   */
  read(digests: readonly Digest[], cursor: Cursor | undefined): Promise<StoreRead>;

  /** Each entry is checked and set in one atomic step. Results in order. */
  register(entries: readonly RegisterEntry[]): Promise<readonly RegisterOutcome[]>;

  /** What register() would say of each entry alone, now. Writes nothing. Results in order. */
  wouldRegister(entries: readonly RegisterEntry[]): Promise<readonly RegisterOutcome[]>;

  /**
   * Puts the tombstone in place of the record and the log entry behind it, in one atomic step that is durable when this
   * resolves. Always writes, also when already revoked. A refresh token's grant tag, read from what is replaced, is
   * revoked in the same step, so a retry repeats it.
   */
  revokeToken(command: RevokeTokenCommand): Promise<RevokeTokenResult>;

  /** Live revocation and log entry in one atomic, durable step. The same tag keeps max(before). */
  revokeTag(command: RevokeTagCommand): Promise<RevokeTagResult>;

  /**
   * Resolves as soon as the log may have grown past the cursor, also when nobody can tell, and once the signal is
   * aborted. Says nothing of what is there: read() does. Rejects with StoreUnavailable.
   */
  awaitLog(cursor: Cursor, signal: AbortSignal): Promise<void>;

  /** All live tag revocations, in chunks. */
  loadRevocations(): AsyncIterable<readonly Revocation[]>;

  /** Resolves when the store can be trusted to answer; throws StoreUnavailable with the reason otherwise. */
  ready(): Promise<void>;

  meta(): Promise<StoreMeta>;

  /**
   * Changes max_token_ttl or the lease for all daemons of the store; in force for every read and write that is invoked
   * once this resolved. A raised max_token_ttl first extends what is revoked; a lowered bound shortens nothing that is
   * there, and what was let in or granted under it is reckoned with until it is over. Cut off at any point the store is
   * safe, and `isChanging`.
   */
  changeBounds(change: BoundsChange): Promise<void>;

  close(): Promise<void>;
}
