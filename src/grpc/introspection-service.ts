// IntrospectionService: handlers that parse, call core and encode. They know no store and no rule.
import type { handleBidiStreamingCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { IntrospectdError } from '../core/errors.js';
import type { Introspect, Verdict } from '../core/introspect.js';
import { type LowPriority, toPace } from '../core/low-priority.js';
import type { Revoke } from '../core/revoke.js';
import { parseToken } from '../core/token.js';
import type { BatchIntrospectRequest, IntrospectRequest } from '../gen/introspectd/v1/introspection_service.js';
import type { Audit } from '../telemetry/audit.js';
import { checkAudiences, parseBatch } from './batch-request.js';
import type { InFlight } from './in-flight.js';
import { decodeBatchIntrospectRequest, decodeIntrospectRequest } from './introspect-requests.js';
import type { GrpcLimits } from './limits.js';
import { needs, type UnaryMethod } from './method.js';
import type { AnswerEncoder } from './response-encoding.js';
import { createRevokeMethod } from './revoke-method.js';
import type { UnaryAdapter } from './unary.js';

export interface IntrospectionServiceDeps {
  readonly introspect: Introspect;
  readonly revoke: Revoke;
  readonly limits: Pick<GrpcLimits, 'batchTokens' | 'tokenBytes'>;
  readonly audit: Audit;
  readonly digestToken: (token: string) => string;
  readonly answers: AnswerEncoder;
  /** Where revocations that wait for caches take room. */
  readonly waitingRoom: InFlight;
  readonly bulk: Bulk;
  readonly adapters: IntrospectionAdapters;
}

/** A batch of no more is a live call: it is answered at once. */
const LIVE_TOKENS = 100;

/** Where larger batches go: they yield to live calls, and take no room from them. */
export interface Bulk {
  readonly room: InFlight;
  readonly lowPriority: LowPriority;
}

export interface IntrospectionAdapters {
  readonly unary: UnaryAdapter;
  /** Of Revoke, which has room of its own: no number of questions may keep a revocation out. */
  readonly revokeUnary: UnaryAdapter;
  readonly streamIntrospect: handleBidiStreamingCall<Buffer, Buffer>;
  readonly watch: handleBidiStreamingCall<Buffer, Buffer>;
}

export function createIntrospectionService(deps: IntrospectionServiceDeps): UntypedServiceImplementation {
  const { unary, revokeUnary, streamIntrospect, watch } = deps.adapters;
  return {
    introspect: unary(createIntrospectMethod(deps)),
    batchIntrospect: unary(createBatchMethod(deps)),
    revoke: revokeUnary(createRevokeMethod(deps)),
    streamIntrospect,
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
      const { audiences, includeTags } = request;
      return introspect.one({ caller, audiences: checkAudiences(audiences), includeTags }, token);
    },
    encode: (verdict, { caller }) => answers.one(verdict, caller),
    record: { describe: ({ token }) => ({ token }) },
  };
}

function createBatchMethod({
  introspect,
  limits,
  answers,
  bulk,
}: IntrospectionServiceDeps): UnaryMethod<BatchIntrospectRequest, readonly (Verdict | IntrospectdError)[]> {
  return {
    name: 'BatchIntrospect',
    authorize: needs('batch'),
    decode: decodeBatchIntrospectRequest,
    handle: async (call) => {
      const { caller, request } = call;
      const { includeTags } = request;
      if (request.items.length <= LIVE_TOKENS) {
        const { audiences, items } = parseBatch(request, limits);
        return introspect.many({ caller, audiences, includeTags }, items);
      }
      call.moveTo(bulk.room);
      const job = bulk.lowPriority.enter(caller.name);
      try {
        const { audiences, items } = parseBatch(request, limits);
        return await introspect.many({ caller, audiences, includeTags }, items, toPace(job, call.signal));
      } finally {
        job.leave();
      }
    },
    encode: (outcomes, { caller }) => answers.many(outcomes, caller),
    record: { describe: ({ items }) => ({ count: items.length }) },
  };
}
