// What a client is made with: every option has a default but where the daemon is and who the client is.
import type { ClientLogger } from './client-logger.js';
import type { ClientMeter } from './client-meter.js';
import type { ClientTls } from './tls.js';

/** Options of `createIntrospectionClient`. */
export interface IntrospectionClientOptions {
  /**
   * Where the daemon listens: `host:port`, looked up in DNS and balanced over all addresses in turn; or any gRPC name,
   * such as `dns:///host:port`, `ipv4:10.0.0.1:50051,10.0.0.2:50051` or `unix:/run/introspectd.sock`.
   */
  readonly target: string;
  /** How the client proves who it is, and whom it trusts. */
  readonly tls: ClientTls;
  /**
   * How long a call may take in all, in milliseconds, making the first connection and trying again included: an integer
   * from 1.
   *
   * @defaultValue 1000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The cache of answers; `false` = off. It answers only while the daemon's watch on revocations grants a lease, so without
   * the permission "watch" there is none, and every call goes to the daemon.
   *
   * @defaultValue on, with the defaults of {@link CacheOptions}
   */
  readonly cache?: false | CacheOptions | undefined;
  /**
   * Whether calls of one tick of the event loop leave as one request, and calls about one token as one question. A call
   * that comes alone is not delayed by it.
   *
   * @defaultValue true
   */
  readonly coalesce?: boolean | undefined;
  /**
   * What is tried again; `false` = nothing.
   *
   * @defaultValue on, with the defaults of {@link RetryOptions}
   */
  readonly retry?: false | RetryOptions | undefined;
  /**
   * Where the client says what it does by itself: certificates that were replaced, a watch that cannot be had. `console`
   * fits, and so does a `pino` logger. Never gets a token.
   *
   * @defaultValue silent
   */
  readonly logger?: ClientLogger | undefined;
  /**
   * Gets the numbers of `stats()` as instruments; a `Meter` of `@opentelemetry/api` fits.
   *
   * @defaultValue none
   */
  readonly meter?: ClientMeter | undefined;
}

/** Bounds of the cache. 0 in any of the first three = no cache at all. */
export interface CacheOptions {
  /**
   * The longest that an answer is kept, in milliseconds. The daemon says how long each may be kept (`limits.cache_age`, and
   * never past `exp`); this can only shorten it.
   *
   * @defaultValue 60000
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * Active answers that are kept, the least recently used going first.
   *
   * @defaultValue 100000
   */
  readonly maxEntries?: number | undefined;
  /**
   * About how much memory the active answers may take, in bytes.
   *
   * @defaultValue 134217728 (128 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Inactive answers that are kept, for a second at most: apart, so that whoever tries out tokens pushes out no active one.
   * 0 = none.
   *
   * @defaultValue 10000
   */
  readonly maxInactiveEntries?: number | undefined;
}

/**
 * Only `UNAVAILABLE` is tried again, within `timeoutMs`, not before the daemon says so, after a random wait, and not while
 * most calls fail. All calls of a client are safe to repeat.
 */
export interface RetryOptions {
  /**
   * Attempts in all, the first included: an integer from 1.
   *
   * @defaultValue 3
   */
  readonly maxAttempts?: number | undefined;
}
