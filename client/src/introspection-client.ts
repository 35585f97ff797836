// The public contract of the client: its calls and their options.
import type { ClientStats } from './client-stats.js';
import type { IntrospectionServiceClient } from './gen/introspectd/v1/introspection_service.js';
import type { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import type { RevocationNotice } from './revocation-notice.js';
import type { RevocationSelector } from './revocation-selector.js';

/** Options of every call. */
export interface CallOptions {
  /** Cancels the call: it rejects at once with `CANCELLED`, and `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * As the `timeoutMs` of the client, for this call. The server learns of it and stops working in time.
   *
   * @defaultValue what the client was made with
   */
  readonly timeoutMs?: number | undefined;
}

/** Options of {@link IntrospectionClient.introspectMany}, and of {@link IntrospectionClient.introspect}. */
export interface IntrospectManyOptions extends CallOptions {
  /**
   * The token must be meant for at least one of these. Narrows what the policy allows, never widens it.
   *
   * @defaultValue none: any audience that the policy allows
   */
  readonly audiences?: readonly string[] | undefined;
}

/** Options of {@link IntrospectionClient.introspect}. */
export interface IntrospectOptions extends IntrospectManyOptions {
  /**
   * Asks the daemon, whatever is in memory or on its way there: for what must not rest on an answer that is up to one lease
   * (2 s) old, such as a payment. The answer is kept as others are.
   *
   * @defaultValue false
   */
  readonly fresh?: boolean | undefined;
}

/** Options of {@link IntrospectionClient.stream}. */
export interface StreamOptions {
  /** As {@link IntrospectManyOptions.audiences}, for every token. */
  readonly audiences?: readonly string[] | undefined;
  /** Ends the loop with `CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Tokens that are asked about in one chunk: 1 to 1,000, and at most what the daemon takes (`limits.batch_tokens`). Fewer
   * when the next one does not come within 20 ms.
   *
   * @defaultValue 500
   */
  readonly chunkTokens?: number | undefined;
  /**
   * Chunks on their way at once, or answered and not taken by the loop yet: 1 to 1,000.
   *
   * @defaultValue 4
   */
  readonly concurrency?: number | undefined;
  /**
   * How long to go on trying while nothing is answered, in milliseconds; there is no other time limit.
   *
   * @defaultValue 60000
   */
  readonly maxStallMs?: number | undefined;
  /** Told before each wait: why, and how long in milliseconds. */
  readonly onRetry?: ((error: IntrospectionError, delayMs: number) => void) | undefined;
}

/** One answer of {@link IntrospectionClient.stream}. */
export interface StreamedToken<Item> {
  /** What was put in. */
  readonly item: Item;
  /** An error is about this token alone: test with `instanceof` before looking at `active`. */
  readonly outcome: IntrospectionResult | IntrospectionError;
}

/** Options of {@link IntrospectionClient.watchRevocations}. */
export interface WatchOptions {
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Go on after this revision, of an earlier notice. One that the daemon does not know any more brings a `reset` first.
   *
   * @defaultValue from now on
   */
  readonly afterRevision?: string | undefined;
}

/** Options of {@link IntrospectionClient.revoke}. */
export interface RevokeOptions extends CallOptions {
  /** For the audit log of the daemon, 256 bytes at most. Must not hold the token. */
  readonly reason?: string | undefined;
  /**
   * Only tokens issued before this instant, which is not in the future. For selectors by `client_id`, `sub`, both, or
   * `all_tokens`; everything else is revoked for good.
   *
   * @defaultValue the instant of the revocation
   */
  readonly issuedBefore?: Date | undefined;
  /**
   * Resolve only when no cache of any client can say "active" any more either: the store's lease later, 2 s unless
   * configured otherwise.
   *
   * The revocation itself is made at once, also when the call ends early. Without a `timeoutMs` of its own such a call
   * has 30,000 ms more than others.
   *
   * @defaultValue false
   */
  readonly waitForCaches?: boolean | undefined;
}

/** A revocation that took place. */
export interface Revocation {
  /** Where it stands in the revocation log. Opaque: not to be compared. */
  readonly revision: string;
}

/** Made by {@link createIntrospectionClient}. All calls of it share its connections. */
export interface IntrospectionClient {
  /**
   * Is this token good now, and what may I know about it? (RFC 7662 §2) Needs permission "introspect".
   *
   * With permission "watch", answers are kept and given again: dropped when a revocation names them, never past `exp`, and
   * only while the daemon's lease says that no revocation is missing. So an answer is true now, or was at most one lease ago.
   * Results are frozen, and calls may share one.
   *
   * @param token the string as presented, without "Bearer"
   * @throws IntrospectionError (rejects) when there is no answer; never resolves to inactive for that
   */
  introspect(token: string, options?: IntrospectOptions): Promise<IntrospectionResult>;

  /**
   * The same for many tokens, always from the daemon. Needs permission "batch".
   *
   * More than 1,000 are asked for in requests of 1,000, one after the other, within the one `timeoutMs`; give it in
   * proportion. An empty list resolves to an empty one without a call.
   *
   * @returns an outcome for every token, in order. An `IntrospectionError` in the place of a result is about that token
   *   alone, such as one with characters that no token has: test with `instanceof` before looking at `active`
   * @throws IntrospectionError (rejects) when there is no answer for all the others either, such as when the store is
   *   unavailable
   */
  introspectMany(
    tokens: readonly string[],
    options?: IntrospectManyOptions,
  ): Promise<readonly (IntrospectionResult | IntrospectionError)[]>;

  /**
   * The same for any number of tokens, as they come. Needs permission "stream". The daemon serves it behind live traffic.
   *
   * An outcome for every item, in order, once. Takes items only as fast as the outcomes are read, so memory stays bounded.
   * Chunks that are not answered (`UNAVAILABLE`, a lost connection, a daemon that restarts) are asked about again, and the
   * daemon's "come back later" is obeyed.
   *
   * @param items tokens, or objects with a `token`, which come back with their outcomes
   * @throws IntrospectionError (from the loop) when the daemon refuses, or there was no answer for `maxStallMs`
   *
   * @example
   * for await (const { item, outcome } of client.stream(rows)) {
   *   if (outcome instanceof IntrospectionError) skipped.push(item.id);
   *   else if (outcome.active) alive.push(item.id);
   * }
   */
  stream<Item extends string | { readonly token: string }>(
    items: AsyncIterable<Item> | Iterable<Item>,
    options?: StreamOptions,
  ): AsyncIterable<StreamedToken<Item>>;

  /**
   * Revokes a token (RFC 7009 §2); a refresh token takes the other tokens of its grant along. Once it resolved, no later
   * call, on any server, says that the token is active. Unknown and already revoked tokens resolve alike.
   *
   * With a selector in place of the token: all tokens of a user, a client, a session and so on. Needs the kind in the
   * caller's `revoke` list: "token", "jti", "grant", "session", "client", "subject", "subject_client", "issuer".
   *
   * @example
   * await client.revoke({ iss: 'https://login.example', sub: 'alice' }, { reason: 'account taken over' });
   *
   * @throws IntrospectionError (rejects) when it may or may not have taken place: repeat it, revoking is idempotent.
   *   `INVALID_ARGUMENT` and `PERMISSION_DENIED`: it did not
   */
  revoke(target: string | RevocationSelector, options?: RevokeOptions): Promise<Revocation>;

  /**
   * What is revoked, as it happens, of the issuers that the policy lets the caller see. Needs permission "watch". Connects
   * again by itself and goes on where it was. For caches and tools of your own; `introspect` needs nothing of it.
   *
   * @throws IntrospectionError (from the loop) when the daemon refuses the watch
   *
   * @example
   * for await (const notice of client.watchRevocations({ signal })) {
   *   if (notice.kind === 'reset') mine.clear();
   *   if (notice.kind === 'revoked') mine.drop(notice.tag);
   * }
   */
  watchRevocations(options?: WatchOptions): AsyncIterable<RevocationNotice>;

  /** What it did, and what it holds. */
  stats(): ClientStats;

  /**
   * Lets the calls in flight end (they have deadlines), then closes the connections; the watch keeps the process alive
   * until then. Later calls reject with `CANCELLED`. May be called more than once.
   */
  close(): Promise<void>;

  /** As {@link IntrospectionClient.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;

  /**
   * The generated gRPC client, for what this interface does not offer. It has no default deadline and its errors are
   * those of grpc-js; `toIntrospectionError` converts them.
   */
  readonly raw: IntrospectionServiceClient;
}
