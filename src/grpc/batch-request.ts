// BatchIntrospectRequest -> what core is asked. Also the inside of a chunk of a stream.
import { IntrospectdError } from '../core/errors.js';
import { parseToken, type Token } from '../core/token.js';
import type { BatchIntrospectRequest } from '../gen/introspectd/v1/introspection_service.js';
import { checkBatchSize } from './batch-size.js';
import type { GrpcLimits } from './limits.js';

export type BatchLimits = Pick<GrpcLimits, 'batchTokens' | 'tokenBytes'>;

export interface BatchQuestion {
  readonly audiences: readonly string[];
  /** A token at fault is its error. */
  readonly items: readonly (Token | IntrospectdError)[];
}

/** Of one request: the rules look at each of them for each token. */
const MAX_AUDIENCES = 100;

/** Throws BATCH_EMPTY, BATCH_TOO_LARGE and REQUEST_INVALID. */
export function parseBatch({ items, audiences }: BatchIntrospectRequest, limits: BatchLimits): BatchQuestion {
  checkBatchSize(items.length, limits.batchTokens);
  return {
    audiences: checkAudiences(audiences),
    items: items.map(({ token }) => parseItem(token, limits.tokenBytes)),
  };
}

export function checkAudiences(audiences: readonly string[]): readonly string[] {
  if (audiences.length <= MAX_AUDIENCES) return audiences;
  const description = `has more than ${MAX_AUDIENCES} members`;
  throw new IntrospectdError('REQUEST_INVALID', 'the request has faults', [{ field: 'audiences', description }]);
}

function parseItem(text: string, maxBytes: number): Token | IntrospectdError {
  try {
    return parseToken(text, maxBytes);
  } catch (error) {
    if (error instanceof IntrospectdError) return error;
    throw error;
  }
}
