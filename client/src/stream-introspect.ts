// StreamIntrospect: any number of tokens, asked about in chunks.
import { Metadata } from '@grpc/grpc-js';
import { type ChunkProtocol, type ChunkStreamOptions, streamChunks } from './chunk-stream.js';
import { malformed } from './claims.js';
import { gather } from './gather.js';
import type {
  IntrospectionServiceClient,
  IntrospectResponse,
  IntrospectResult,
  StreamIntrospectRequest,
  StreamIntrospectResponse,
} from './gen/introspectd/v1/introspection_service.js';
import type { StreamedToken, StreamOptions } from './introspection-client.js';
import { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import { toOwnOutcome } from './introspector.js';
import { toItemError } from './status-error.js';

const DEFAULTS = { concurrency: 4, chunkTokens: 500, maxStallMs: 60_000 } as const;
/** limits.batch_tokens of a server that was not configured otherwise. */
const MAX_CHUNK_TOKENS = 1_000;
/** Tokens that come singly are waited for this long, so that a slow source is answered as it goes. */
const LINGER_MS = 20;

/** For whoever has chunks already: {@link streamChunks} of StreamIntrospect, without a conversion of the answers. */
export function introspectChunks(
  raw: IntrospectionServiceClient,
  chunks: AsyncIterable<readonly string[]>,
  options: ChunkStreamOptions & { readonly audiences?: readonly string[] | undefined },
): AsyncGenerator<readonly (IntrospectResponse | IntrospectionError)[]> {
  return streamChunks(createProtocol(raw, options.audiences ?? []), chunks, options);
}

/** The implementation of {@link IntrospectionClient.stream}. */
export async function* streamIntrospect<Item extends string | { readonly token: string }>(
  raw: IntrospectionServiceClient,
  items: AsyncIterable<Item> | Iterable<Item>,
  options: StreamOptions,
): AsyncGenerator<StreamedToken<Item>> {
  const { chunkTokens, ...bounds } = checkOptions(options);
  if (typeof items === 'string') throw new IntrospectionError('INVALID_ARGUMENT', 'tokens come in a list or a stream');
  const asked: (readonly Item[])[] = [];
  async function* toChunks(): AsyncGenerator<readonly string[]> {
    for await (const chunk of gather(items, chunkTokens, LINGER_MS)) {
      const tokens = chunk.map(toToken);
      asked.push(chunk);
      yield tokens;
    }
  }
  const { audiences, signal, onRetry } = options;
  for await (const responses of introspectChunks(raw, toChunks(), { ...bounds, audiences, signal, onRetry })) {
    const chunk = asked.shift() ?? [];
    for (const [index, item] of chunk.entries()) {
      const response = responses[index] ?? malformed('not one outcome for every item');
      const outcome: IntrospectionResult | IntrospectionError = toOwnOutcome(response);
      yield { item, outcome };
    }
  }
}

function createProtocol(
  raw: IntrospectionServiceClient,
  audiences: readonly string[],
): ChunkProtocol<
  readonly string[],
  StreamIntrospectRequest,
  StreamIntrospectResponse,
  IntrospectResponse | IntrospectionError
> {
  return {
    open: () => raw.streamIntrospect(new Metadata()),
    count: (tokens) => tokens.length,
    toRequest: (chunkId, tokens) => ({
      chunkId,
      batch: {
        items: tokens.map((token) => ({ token, tokenTypeHint: '' })),
        audiences: [...audiences],
        includeTags: false,
      },
    }),
    read: ({ chunkId, outcome }) => {
      if (outcome === undefined) return { chunkId, outcomes: malformed('a chunk without an outcome') };
      const isError = outcome.$case === 'error';
      return { chunkId, outcomes: isError ? toItemError(outcome.value) : outcome.value.results.map(toAnswer) };
    },
  };
}

function toAnswer({ outcome }: IntrospectResult): IntrospectResponse | IntrospectionError {
  if (outcome === undefined) return malformed('a result without an outcome');
  return outcome.$case === 'error' ? toItemError(outcome.value) : outcome.value;
}

function toToken(item: string | { readonly token: string }): string {
  const token = typeof item === 'string' ? item : item.token;
  if (typeof token !== 'string') throw new IntrospectionError('INVALID_ARGUMENT', 'a token is a string');
  return token;
}

function checkOptions(options: StreamOptions) {
  const { concurrency, chunkTokens, maxStallMs } = {
    concurrency: options.concurrency ?? DEFAULTS.concurrency,
    chunkTokens: options.chunkTokens ?? DEFAULTS.chunkTokens,
    maxStallMs: options.maxStallMs ?? DEFAULTS.maxStallMs,
  };
  checkRange('concurrency', concurrency, 1, 1_000);
  checkRange('chunkTokens', chunkTokens, 1, MAX_CHUNK_TOKENS);
  checkRange('maxStallMs', maxStallMs, 0, Number.MAX_SAFE_INTEGER);
  return { concurrency, chunkTokens, maxStallMs };
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new IntrospectionError('INVALID_ARGUMENT', `${name} is an integer from ${min} to ${max}`);
}
