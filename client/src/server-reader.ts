// Asks the server about one or several tokens: one request where the policy lets it, singly where not.
import { malformed } from './claims.js';
import type {
  IntrospectionServiceClient,
  IntrospectResponse,
  IntrospectResult,
} from './gen/introspectd/v1/introspection_service.js';
import { IntrospectionError } from './introspection-error.js';
import type { Retrier } from './retry.js';
import { toItemError } from './status-error.js';
import { type CallBounds, callUnary } from './unary-call.js';

export interface ReadRequest {
  /** One at least. */
  readonly tokens: readonly string[];
  readonly audiences: readonly string[];
  readonly includeTags: boolean;
}

export interface ServerReader {
  /** In order. Rejects when there is no answer to any. */
  read(request: ReadRequest, bounds: CallBounds): Promise<readonly (IntrospectResponse | IntrospectionError)[]>;
  /** One BatchIntrospect; needs permission "batch". */
  readBatch(request: ReadRequest, bounds: CallBounds): Promise<readonly (IntrospectResponse | IntrospectionError)[]>;
  /** How many tokens may be in one read() now. */
  maxTokens(): number;
  readonly requests: number;
}

// Enough to make the cost of a request small beside that of its tokens, and few enough to be answered in one go.
const MAX_TOKENS = 100;
/** A policy may be changed: after so long it is tried again. */
const DENIED_MS = 60_000;
/** Of PERMISSION_DENIED: nothing is allowed to this caller, so it makes no difference how it asks. */
const DENIED_ALTOGETHER: readonly (string | undefined)[] = ['CALLER_UNKNOWN', 'CONDITION_NOT_MET'];

export function createServerReader(raw: IntrospectionServiceClient, retrier: Retrier): ServerReader {
  let maxTokens = MAX_TOKENS;
  let deniedUntilMs = Number.NEGATIVE_INFINITY;
  let requests = 0;

  async function readOne({ tokens, audiences, includeTags }: ReadRequest, bounds: CallBounds) {
    const [token = ''] = tokens;
    const request = { token, tokenTypeHint: '', audiences: [...audiences], includeTags };
    return retrier.run((within) => {
      requests += 1;
      return callUnary(raw.introspect.bind(raw), request, within);
    }, bounds);
  }

  async function readBatch({ tokens, audiences, includeTags }: ReadRequest, bounds: CallBounds) {
    const items = tokens.map((token) => ({ token, tokenTypeHint: '' }));
    const request = { items, audiences: [...audiences], includeTags };
    const { results } = await retrier.run((within) => {
      requests += 1;
      return callUnary(raw.batchIntrospect.bind(raw), request, within);
    }, bounds);
    if (results.length !== items.length) throw malformed('not one result for every token');
    return results.map(toOutcome);
  }

  /** Each by itself: one that fails fails alone. */
  function readSplit(request: ReadRequest, size: number, bounds: CallBounds) {
    const parts: Promise<readonly (IntrospectResponse | IntrospectionError)[]>[] = [];
    for (let start = 0; start < request.tokens.length; start += size) {
      const tokens = request.tokens.slice(start, start + size);
      const part = read({ ...request, tokens }, bounds);
      parts.push(part.catch((error: IntrospectionError) => tokens.map(() => error)));
    }
    return Promise.all(parts).then((outcomes) => outcomes.flat());
  }

  async function read(request: ReadRequest, bounds: CallBounds) {
    const { length } = request.tokens;
    if (length === 1) return [await readOne(request, bounds)];
    try {
      return await readBatch(request, bounds);
    } catch (error) {
      if (!(error instanceof IntrospectionError)) throw error;
      if (isDenied(error)) {
        deniedUntilMs = performance.now() + DENIED_MS;
        return readSplit(request, 1, bounds);
      }
      if (error.reason !== 'BATCH_TOO_LARGE') throw error;
      maxTokens = Math.max(1, Math.min(maxTokens, Math.floor(length / 2)));
      return readSplit(request, maxTokens, bounds);
    }
  }

  return {
    read,
    readBatch,
    maxTokens: () => (performance.now() < deniedUntilMs ? 1 : maxTokens),
    get requests() {
      return requests;
    },
  };
}

function isDenied({ code, reason }: IntrospectionError): boolean {
  return code === 'UNIMPLEMENTED' || (code === 'PERMISSION_DENIED' && !DENIED_ALTOGETHER.includes(reason));
}

function toOutcome({ outcome }: IntrospectResult): IntrospectResponse | IntrospectionError {
  if (outcome === undefined) return malformed('a result without an outcome');
  return outcome.$case === 'error' ? toItemError(outcome.value) : outcome.value;
}
