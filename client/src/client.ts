// Makes the client: checks what it is given, calls, converts what comes back.
import { malformed, toIntrospectionResult } from './claims.js';
import type {
  IntrospectionServiceClient,
  IntrospectResult,
  RevokeRequest,
} from './gen/introspectd/v1/introspection_service.js';
import type { CallOptions, IntrospectionClient, IntrospectionClientOptions } from './introspection-client.js';
import { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import { createRawClient } from './raw-client.js';
import { toRevokeRequest } from './revoke-request.js';
import { toItemError } from './status-error.js';
import { type CallBounds, callUnary } from './unary-call.js';

const DEFAULT_TIMEOUT_MS = 1_000;
// The longest that timers count: 2^31 - 1 ms.
const MAX_TIMEOUT_MS = 2_147_483_647;
// What waiting for caches may add: their leases, 2 s unless configured otherwise.
const WAIT_FOR_CACHES_MS = 30_000;
// limits.batch_tokens of a server that was not configured otherwise.
const TOKENS_PER_REQUEST = 1_000;

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
  const defaultTimeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const raw = createRawClient(options.target, options.tls);
  const inFlight = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function run<T>(call: CallOptions, work: (bounds: CallBounds) => Promise<T>): Promise<T> {
    if (closing !== undefined) throw new IntrospectionError('CANCELLED', 'the client is closed');
    const timeoutMs = checkTimeout(call.timeoutMs ?? defaultTimeoutMs);
    const pending = work({ deadlineMs: Date.now() + timeoutMs, signal: call.signal });
    inFlight.add(pending);
    try {
      return await pending;
    } finally {
      inFlight.delete(pending);
    }
  }

  async function drainAndClose(): Promise<void> {
    await Promise.allSettled(inFlight);
    raw.close();
  }

  const close = () => {
    closing ??= drainAndClose();
    return closing;
  };

  return {
    introspect: (token, { audiences = [], ...call } = {}) =>
      run(call, (bounds) => introspect(raw, token, audiences, bounds)),
    introspectMany: (tokens, { audiences = [], ...call } = {}) =>
      run(call, (bounds) => introspectMany(raw, tokens, audiences, bounds)),
    revoke: (target, options = {}) => {
      const { timeoutMs, signal } = options;
      const waitMs = options.waitForCaches ? WAIT_FOR_CACHES_MS : 0;
      const call = { signal, timeoutMs: timeoutMs ?? Math.min(defaultTimeoutMs + waitMs, MAX_TIMEOUT_MS) };
      return run(call, (bounds) => revoke(raw, toRevokeRequest(target, options), bounds));
    },
    close,
    [Symbol.asyncDispose]: close,
    raw,
  };
}

async function introspect(
  raw: IntrospectionServiceClient,
  token: string,
  audiences: readonly string[],
  bounds: CallBounds,
): Promise<IntrospectionResult> {
  const request = { token: checkToken(token), tokenTypeHint: '', audiences: [...audiences], includeTags: false };
  return toIntrospectionResult(await callUnary(raw.introspect.bind(raw), request, bounds));
}

async function introspectMany(
  raw: IntrospectionServiceClient,
  tokens: readonly string[],
  audiences: readonly string[],
  bounds: CallBounds,
): Promise<(IntrospectionResult | IntrospectionError)[]> {
  const items = tokens.map((token) => ({ token: checkToken(token), tokenTypeHint: '' }));
  const outcomes: (IntrospectionResult | IntrospectionError)[] = [];
  while (outcomes.length < items.length) {
    const chunk = items.slice(outcomes.length, outcomes.length + TOKENS_PER_REQUEST);
    const request = { items: chunk, audiences: [...audiences], includeTags: false };
    const { results } = await callUnary(raw.batchIntrospect.bind(raw), request, bounds);
    if (results.length !== chunk.length) throw malformed('not one result for every token');
    outcomes.push(...results.map(toOutcome));
  }
  return outcomes;
}

function toOutcome({ outcome }: IntrospectResult): IntrospectionResult | IntrospectionError {
  if (outcome === undefined) return malformed('a result without an outcome');
  if (outcome.$case === 'error') return toItemError(outcome.value);
  try {
    return toIntrospectionResult(outcome.value);
  } catch (error) {
    if (error instanceof IntrospectionError) return error;
    throw error;
  }
}

async function revoke(
  raw: IntrospectionServiceClient,
  request: RevokeRequest,
  bounds: CallBounds,
): Promise<{ readonly revision: string }> {
  const { revision } = await callUnary(raw.revoke.bind(raw), request, bounds);
  return { revision };
}

function checkToken(token: string): string {
  if (typeof token !== 'string') throw new IntrospectionError('INVALID_ARGUMENT', 'a token is a string');
  return token;
}

function checkTimeout(timeoutMs: number): number {
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
    throw new IntrospectionError('INVALID_ARGUMENT', `timeoutMs is an integer from 1 to ${MAX_TIMEOUT_MS}`);
  }
  return timeoutMs;
}
