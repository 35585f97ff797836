// Makes the client: checks what it is given, and puts its parts together.
import { SILENT } from './client-logger.js';
import { observeStats } from './client-meter.js';
import type { IntrospectionClientOptions } from './client-options.js';
import type { ClientStats } from './client-stats.js';
import { MAX_TIMER_MS, readClocks } from './clocks.js';
import type { CallOptions, IntrospectionClient, IntrospectOptions, RevokeOptions } from './introspection-client.js';
import { IntrospectionError } from './introspection-error.js';
import { createIntrospector, toOutcome } from './introspector.js';
import { createRawClient, parseTarget } from './raw-client.js';
import { createRetrier } from './retry.js';
import { followRevocations } from './revocation-feed.js';
import type { RevocationSelector } from './revocation-selector.js';
import { toRevokeRequest } from './revoke-request.js';
import { createServerReader } from './server-reader.js';
import { streamIntrospect } from './stream-introspect.js';
import { createCredentials, readTls } from './tls.js';
import { startTlsReloader } from './tls-reloader.js';
import { aborted, type CallBounds, callUnary } from './unary-call.js';
import { createWatchedCache } from './watched-cache.js';

const DEFAULT_TIMEOUT_MS = 1_000;
const DEFAULT_ATTEMPTS = 3;
// Calls that begin so close to each other end together, so that one request serves them without a timer for each.
const SAME_INSTANT_MS = 5;
// What waiting for caches may add: their leases, 2 s unless configured otherwise.
const WAIT_FOR_CACHES_MS = 30_000;
// limits.batch_tokens of a server that was not configured otherwise.
const TOKENS_PER_REQUEST = 1_000;
const ANY_AUDIENCE: readonly string[] = [];
const NO_OPTIONS: IntrospectOptions = {};

/**
 * Makes a client. It connects at the first call, and again by itself whenever a connection is lost.
 *
 * @throws IntrospectionError with code `INVALID_ARGUMENT` when an option is missing, unreadable or does not fit
 *
 * @example
 * const client = createIntrospectionClient({
 *   target: 'introspectd.mesh:50051',
 *   tls: { caFile: 'ca.pem', certFile: 'orders.pem', keyFile: 'orders.key' },
 * });
 * const result = await client.introspect(token);
 * if (!result.active) throw new Unauthorized();
 */
export function createIntrospectionClient(options: IntrospectionClientOptions): IntrospectionClient {
  const { target, tls, logger = SILENT, coalesce = true, retry = {} } = options;
  const defaultTimeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const retrier = createRetrier(retry === false ? 1 : checkAttempts(retry.maxAttempts ?? DEFAULT_ATTEMPTS));
  const address = parseTarget(target);
  const parts = readTls(tls);
  const { raw, replaceCredentials } = createRawClient(address, createCredentials(parts), tls.serverName);
  const watched = createWatchedCache({ options: options.cache ?? {}, raw, logger });
  const reader = createServerReader(raw, retrier);
  const introspector = createIntrospector({ reader, watched, coalesce, target });
  const stopReloading = startTlsReloader({
    tls,
    inUse: parts,
    logger,
    use: async (credentials) => {
      await replaceCredentials(credentials);
      introspector.changeCaller();
    },
  });
  const inFlight = new Set<Promise<unknown>>();
  const ending = new AbortController();
  let closing: Promise<void> | undefined;
  let instantMs = 0;
  let misses = 0;

  function bound({ timeoutMs = defaultTimeoutMs, signal }: CallOptions): CallBounds {
    if (timeoutMs !== defaultTimeoutMs) checkTimeout(timeoutMs);
    const nowMs = performance.now();
    if (nowMs - instantMs > SAME_INSTANT_MS) instantMs = nowMs;
    return { endMs: instantMs + timeoutMs, signal };
  }

  /** Throws unless there may be a call now. */
  function checkOpen(signal: AbortSignal | undefined): void {
    if (closing !== undefined) throw new IntrospectionError('CANCELLED', 'the client is closed');
    if (signal?.aborted) throw aborted(signal);
  }

  function untilClosed(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  }

  async function run<T>(call: CallOptions, work: (bounds: CallBounds) => Promise<T>): Promise<T> {
    const bounds = bound(call);
    checkOpen(bounds.signal);
    const pending = work(bounds);
    inFlight.add(pending);
    try {
      return await pending;
    } finally {
      inFlight.delete(pending);
    }
  }

  async function introspectMany(tokens: readonly string[], audiences: readonly string[], bounds: CallBounds) {
    for (const token of tokens) checkToken(token);
    const outcomes: ReturnType<typeof toOutcome>[] = [];
    while (outcomes.length < tokens.length) {
      const chunk = tokens.slice(outcomes.length, outcomes.length + TOKENS_PER_REQUEST);
      const responses = await reader.readBatch({ tokens: chunk, audiences, includeTags: false }, bounds);
      outcomes.push(...responses.map(toOutcome));
    }
    return outcomes;
  }

  async function revoke(target: string | RevocationSelector, options: RevokeOptions, bounds: CallBounds) {
    const request = toRevokeRequest(target, options);
    try {
      const { revision } = await retrier.run((within) => callUnary(raw.revoke.bind(raw), request, within), bounds);
      return { revision };
    } finally {
      // Before the daemon says so, and also when it may have taken place or not. What a selector reaches, the watch tells.
      if (typeof target === 'string') introspector.dropToken(target);
    }
  }

  async function drainAndClose(): Promise<void> {
    stopReloading();
    ending.abort();
    watched?.session.close();
    await Promise.allSettled(inFlight);
    raw.close();
  }

  const close = () => {
    closing ??= drainAndClose();
    return closing;
  };

  const stats = (): ClientStats => ({
    hits: introspector.hits,
    inactiveHits: introspector.inactiveHits,
    misses,
    requests: reader.requests,
    retries: retrier.retries,
    resets: watched?.session.resets ?? 0,
    drops: watched?.cache.drops ?? 0,
    ...(watched?.cache.size ?? { entries: 0, inactiveEntries: 0, bytes: 0 }),
    cache:
      watched === undefined || closing !== undefined
        ? 'off'
        : watched.session.hasLease(readClocks())
          ? 'leased'
          : 'waiting',
  });
  if (options.meter !== undefined) observeStats(options.meter, stats);

  return {
    introspect: async (token, call = NO_OPTIONS) => {
      const { audiences = ANY_AUDIENCE, fresh = false, signal, timeoutMs } = call;
      checkToken(token);
      if (!fresh) {
        const known = introspector.find(token, audiences);
        if (known !== undefined) {
          if (timeoutMs !== undefined) checkTimeout(timeoutMs);
          checkOpen(signal);
          return known;
        }
      }
      return run(call, (bounds) => {
        misses += 1;
        return introspector.ask(token, audiences, bounds, fresh ? 'fresh' : 'leased');
      });
    },
    introspectMany: (tokens, call = {}) =>
      run(call, (bounds) => introspectMany(tokens, call.audiences ?? ANY_AUDIENCE, bounds)),
    revoke: (target, call = {}) => {
      const waitMs = call.waitForCaches ? WAIT_FOR_CACHES_MS : 0;
      const timeoutMs = call.timeoutMs ?? Math.min(defaultTimeoutMs + waitMs, MAX_TIMER_MS);
      return run({ ...call, timeoutMs }, (bounds) => revoke(target, call, bounds));
    },
    stream: (items, options = {}) => {
      checkOpen(undefined);
      return streamIntrospect(raw, items, { ...options, signal: untilClosed(options.signal) });
    },
    watchRevocations: ({ signal, afterRevision = '' } = {}) => ({
      [Symbol.asyncIterator]: () => {
        checkOpen(undefined);
        return followRevocations({ raw, afterRevision, signal: untilClosed(signal) });
      },
    }),
    stats,
    close,
    [Symbol.asyncDispose]: close,
    raw,
  };
}

function checkToken(token: string): void {
  if (typeof token !== 'string') throw new IntrospectionError('INVALID_ARGUMENT', 'a token is a string');
}

function checkTimeout(timeoutMs: number): number {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMER_MS) {
    throw new IntrospectionError('INVALID_ARGUMENT', `timeoutMs is an integer from 1 to ${MAX_TIMER_MS}`);
  }
  return timeoutMs;
}

function checkAttempts(maxAttempts: number): number {
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new IntrospectionError('INVALID_ARGUMENT', 'retry.maxAttempts is an integer from 1');
  }
  return maxAttempts;
}
