// IntrospectionService: handlers that parse, call core and encode. They know no store and no rule.
import type { handleBidiStreamingCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { Introspect } from '../core/introspect.js';
import type { Verdict } from '../core/judge.js';
import type { Revoke } from '../core/revoke.js';
import { parseToken, type Token } from '../core/token.js';
import type { BatchIntrospectRequest, IntrospectRequest } from '../gen/introspectd/v1/introspection_service.js';
import type { Audit } from '../telemetry/audit.js';
import { checkBatchSize } from './batch-size.js';
import type { BidiRefusal } from './bidi-refusal.js';
import type { InFlight } from './in-flight.js';
import { decodeBatchIntrospectRequest, decodeIntrospectRequest } from './introspect-requests.js';
import type { GrpcLimits } from './limits.js';
import { needs, type UnaryMethod } from './method.js';
import type { AnswerEncoder } from './response-encoding.js';
import { createRevokeMethod } from './revoke-method.js';
import type { UnaryAdapter } from './unary.js';

/** Of one request: the rules look at each of them for each token. */
const MAX_AUDIENCES = 100;

export interface IntrospectionServiceDeps {
  readonly introspect: Introspect;
  readonly revoke: Revoke;
  readonly limits: Pick<GrpcLimits, 'batchTokens' | 'tokenBytes'>;
  readonly audit: Audit;
  readonly digestToken: (token: string) => string;
  readonly answers: AnswerEncoder;
  /** Where revocations that wait for caches take room. */
  readonly waitingRoom: InFlight;
  readonly adapters: IntrospectionAdapters;
}

export interface IntrospectionAdapters {
  readonly unary: UnaryAdapter;
  /** Of Revoke, which has room of its own: no number of questions may keep a revocation out. */
  readonly revokeUnary: UnaryAdapter;
  readonly refuseBidi: BidiRefusal;
  readonly watch: handleBidiStreamingCall<Buffer, Buffer>;
}

export function createIntrospectionService(deps: IntrospectionServiceDeps): UntypedServiceImplementation {
  const { unary, revokeUnary, refuseBidi, watch } = deps.adapters;
  return {
    introspect: unary(createIntrospectMethod(deps)),
    batchIntrospect: unary(createBatchMethod(deps)),
    revoke: revokeUnary(createRevokeMethod(deps)),
    streamIntrospect: refuseBidi({ name: 'StreamIntrospect', authorize: needs('stream') }),
    watchRevocations: watch,
  };
}

function createIntrospectMethod({
  introspect,
  limits,
  answers,
}: IntrospectionServiceDeps): UnaryMethod<IntrospectRequest, Verdict> {
  return {
    name: 'Introspect',
    authorize: needs('introspect'),
    decode: decodeIntrospectRequest,
    handle: ({ caller, request }) => {
      const token = parseToken(request.token, limits.tokenBytes);
      return introspect.one({ caller, audiences: checkAudiences(request.audiences) }, token);
    },
    encode: (verdict, { caller, request: { includeTags } }) => answers.one(verdict, { caller, includeTags }),
    record: { describe: ({ token }) => ({ token }) },
  };
}

function createBatchMethod({
  introspect,
  limits,
  answers,
}: IntrospectionServiceDeps): UnaryMethod<BatchIntrospectRequest, readonly (Verdict | IntrospectdError)[]> {
  return {
    name: 'BatchIntrospect',
    authorize: needs('batch'),
    decode: decodeBatchIntrospectRequest,
    handle: async ({ caller, request: { items, audiences } }) => {
      checkBatchSize(items.length, limits.batchTokens);
      const tokens = items.map(({ token }) => parseItem(token, limits.tokenBytes));
      return introspect.many({ caller, audiences: checkAudiences(audiences) }, tokens);
    },
    encode: (outcomes, { caller, request: { includeTags } }) => answers.many(outcomes, { caller, includeTags }),
    record: { describe: ({ items }) => ({ count: items.length }) },
  };
}

function parseItem(text: string, maxBytes: number): Token | IntrospectdError {
  try {
    return parseToken(text, maxBytes);
  } catch (error) {
    if (error instanceof IntrospectdError) return error;
    throw error;
  }
}

function checkAudiences(audiences: readonly string[]): readonly string[] {
  if (audiences.length <= MAX_AUDIENCES) return audiences;
  const description = `has more than ${MAX_AUDIENCES} members`;
  throw new IntrospectdError('REQUEST_INVALID', 'the request has faults', [{ field: 'audiences', description }]);
}
