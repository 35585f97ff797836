// envoy.service.auth.v3.Authorization: requests that Envoy asks about, through the same rules as every other question.
// Whatever goes wrong is answered with a denial: what Envoy takes for an error is left to its failure_mode_allow.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { type CredentialPlace, findCredential } from '../core/bearer.js';
import type { Check, CheckedRequest, CheckVerdict } from '../core/check.js';
import { IntrospectdError, type Reason } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import { needs, type UnaryMethod } from '../grpc/method.js';
import type { UnaryAdapter } from '../grpc/unary.js';
import type { CheckMetrics } from '../telemetry/check-metrics.js';
import type { CheckLog } from './check-log.js';
import { readCheckRequest } from './check-request.js';
import { type AllowSettings, encodeAllowed, encodeRefusal } from './check-response.js';
import { type DecodedClaims, toVisibleClaims } from './claims.js';
import { toFailureRefusal, toRefusal } from './denials.js';

export interface AuthorizationSettings extends AllowSettings {
  /** For a Check; below the timeout that Envoy has for it. */
  readonly budgetMs: number;
  /** What becomes of a request about which nobody knows. */
  readonly onDoubt: 'deny' | 'envoy';
  readonly realm: string;
  readonly tokenBytes: number;
}

export interface AuthorizationDeps {
  readonly check: Check<DecodedClaims>;
  readonly settings: AuthorizationSettings;
  readonly metrics: CheckMetrics;
  readonly log: CheckLog;
}

type Verdict = CheckVerdict<DecodedClaims>;

/** Doubt that the option may hand to Envoy. Room and rates are not among it: they are what a flood uses up. */
const DOUBT: ReadonlySet<Reason> = new Set(['STORE_UNAVAILABLE', 'DEADLINE', 'DRAINING']);

export function createAuthorizationService(
  deps: AuthorizationDeps,
): (unary: UnaryAdapter) => UntypedServiceImplementation {
  return (unary) => ({ check: unary(createCheckMethod(deps)) });
}

function createCheckMethod({ check, settings, metrics, log }: AuthorizationDeps): UnaryMethod<CheckedRequest, Verdict> {
  return {
    name: 'Check',
    authorize: needs('check'),
    decode: readCheckRequest,
    budgetMs: settings.budgetMs,
    handle: async ({ caller, request, requestId }) => {
      const verdict = await check(caller, request);
      if (verdict.outcome === 'denied') log.denied({ caller: caller.name, requestId, ...verdict });
      return verdict;
    },
    encode: (verdict, { caller, request }) => {
      const bytes = encodeVerdict(verdict, { caller, request }, settings);
      metrics.count(caller.name, verdict.outcome === 'denied' ? verdict.denial : verdict.outcome);
      return bytes;
    },
    answerFailure: (error, caller) => {
      const isHandedOver = settings.onDoubt === 'envoy' && error instanceof IntrospectdError && DOUBT.has(error.reason);
      const refusal = toFailureRefusal(error);
      const outcome = refusal.httpStatus === 503 ? 'doubt' : 'refused';
      metrics.count(caller?.name, isHandedOver ? 'handed_to_envoy' : outcome);
      return isHandedOver ? undefined : encodeRefusal(refusal);
    },
    record: { describe: (request) => describe(request, settings.place, settings.tokenBytes) },
  };
}

function encodeVerdict(
  verdict: Verdict,
  { caller, request }: { readonly caller: Caller; readonly request: CheckedRequest },
  settings: AuthorizationSettings,
): Buffer {
  switch (verdict.outcome) {
    case 'allowed':
      return encodeAllowed(toVisibleClaims(verdict.claims, caller), request, settings);
    case 'anonymous':
      return encodeAllowed({}, request, settings);
    case 'denied':
      return encodeRefusal(toRefusal(verdict, settings.realm));
  }
}

function describe(request: CheckedRequest, place: CredentialPlace, tokenBytes: number) {
  const credential = findCredential(request, place, tokenBytes);
  return credential.kind === 'token' ? { token: credential.token } : {};
}
