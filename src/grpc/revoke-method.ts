// Revoke: a token now; selectors are checked and then refused until revocations by tag are served.
import { type FieldViolation, IntrospectdError } from '../core/errors.js';
import type { TagKind } from '../core/key-ring.js';
import { type Caller, requireRevoke } from '../core/policy.js';
import type { Revoke, Revoked } from '../core/revoke.js';
import { parseToken } from '../core/token.js';
import { type RevocationSelector, RevokeRequest, RevokeResponse } from '../gen/introspectd/v1/introspection_service.js';
import type { Audit, AuditDetails } from '../telemetry/audit.js';
import type { GrpcLimits } from './limits.js';
import type { Settlement, UnaryMethod } from './method.js';
import { toCodeName } from './status.js';
import { createWireReader } from './wire-reader.js';

export interface RevokeMethodDeps {
  readonly revoke: Revoke;
  readonly limits: Pick<GrpcLimits, 'tokenBytes'>;
  readonly audit: Audit;
  /** A secret's digest under the log key. */
  readonly digestToken: (token: string) => string;
}

type Selected = NonNullable<RevocationSelector['by']>;

const MAX_REASON_BYTES = 256;

const KINDS: Readonly<Record<Selected['$case'], TagKind>> = {
  jti: 'jti',
  grantId: 'grant',
  sid: 'session',
  clientId: 'client',
  sub: 'subject',
  subjectClient: 'subject_client',
  allTokens: 'issuer',
};

export function createRevokeMethod(deps: RevokeMethodDeps): UnaryMethod<RevokeRequest, Revoked> {
  return {
    name: 'Revoke',
    authorize: (caller) => {
      // Which kind is asked for stands in the request; a caller without any kind is refused before it is read.
      if (caller.revoke.size === 0) requireRevoke(caller, 'token');
    },
    decode: (bytes) => RevokeRequest.decode(createWireReader(bytes)),
    handle: async ({ caller, request }) => {
      const { target } = request;
      if (target === undefined) throw invalid([{ field: 'target', description: 'token or selector is required' }]);
      if (target.$case === 'selector') return refuseSelector(caller, target.value, request);
      requireRevoke(caller, 'token');
      checkTokenRequest(request);
      return deps.revoke.token(parseToken(target.value, deps.limits.tokenBytes), caller);
    },
    encode: ({ revision }) => Buffer.from(RevokeResponse.encode({ revision }).finish()),
    record: {
      describe: ({ target }) => (target?.$case === 'token' ? { token: target.value } : {}),
      audit: (settlement) => {
        deps.audit.write({
          action: 'revoke',
          caller: settlement.caller?.name,
          requestId: settlement.requestId,
          code: toCodeName(settlement.error),
          details: toAuditDetails(settlement, deps.digestToken),
        });
      },
    },
  };
}

function checkTokenRequest(request: RevokeRequest): void {
  const faults = findReasonFaults(request);
  if (request.issuedBefore !== undefined) {
    faults.push({ field: 'issued_before', description: 'is not for tokens: one token is revoked for good' });
  }
  if (faults.length > 0) throw invalid(faults);
  if (request.waitForCaches) throw notSupported('this version has no caches to wait for');
}

function refuseSelector(caller: Caller, { iss, by }: RevocationSelector, request: RevokeRequest): never {
  const faults = findReasonFaults(request);
  if (by === undefined) faults.push({ field: 'selector.by', description: 'is required' });
  else {
    requireRevoke(caller, KINDS[by.$case]);
    faults.push(...findEmptyValues(by));
  }
  if (iss === '') faults.push({ field: 'selector.iss', description: 'is required' });
  if (faults.length > 0) throw invalid(faults);
  if (!caller.issuers.has(iss)) {
    throw new IntrospectdError('ISSUER_NOT_ALLOWED', 'the policy does not give the caller this issuer');
  }
  throw notSupported('this version revokes tokens alone');
}

function findReasonFaults({ reason }: RevokeRequest): FieldViolation[] {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return [];
  return [{ field: 'reason', description: `has more than ${MAX_REASON_BYTES} bytes` }];
}

function findEmptyValues(by: Selected): FieldViolation[] {
  const description = 'must not be empty';
  switch (by.$case) {
    case 'allTokens':
      return [];
    case 'subjectClient':
      return Object.entries({ sub: by.value.sub, client_id: by.value.clientId })
        .filter(([, value]) => value === '')
        .map(([member]) => ({ field: `selector.subject_client.${member}`, description }));
    default:
      return by.value === '' ? [{ field: 'selector.by', description }] : [];
  }
}

function toAuditDetails(
  { request, result }: Settlement<RevokeRequest, Revoked>,
  digestToken: RevokeMethodDeps['digestToken'],
): AuditDetails {
  const target = request?.target;
  const reason = request?.reason || undefined;
  if (target?.$case === 'selector') {
    const { iss, by } = target.value;
    return { kind: by && KINDS[by.$case], iss, value: by && digestToken(toSelectedText(by)), reason };
  }
  return {
    kind: target && 'token',
    iss: result?.iss,
    value: target?.value ? digestToken(target.value) : undefined,
    beforeMs: result?.beforeMs,
    // A token that someone pasted into the reason must not reach the log by it.
    reason: target?.value ? reason?.replaceAll(target.value, '(token)') : reason,
    revision: result?.revision,
  };
}

function toSelectedText(by: Selected): string {
  switch (by.$case) {
    case 'allTokens':
      return '';
    case 'subjectClient':
      return JSON.stringify([by.value.sub, by.value.clientId]);
    default:
      return by.value;
  }
}

function invalid(violations: readonly FieldViolation[]): IntrospectdError {
  return new IntrospectdError('REQUEST_INVALID', 'the request has faults', violations);
}

function notSupported(message: string): IntrospectdError {
  return new IntrospectdError('NOT_SUPPORTED', message);
}
