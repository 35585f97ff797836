// Revoke: a token, or all tokens of something; at once, or when no cache can say "active" any more.
import { IntrospectdError } from '../core/errors.js';
import { type Caller, requireRevoke } from '../core/policy.js';
import type { Revoke, Revoked } from '../core/revoke.js';
import { parseToken } from '../core/token.js';
import { toSelectedText } from '../core/token-tags.js';
import { RevokeRequest, RevokeResponse } from '../gen/introspectd/v1/introspection_service.js';
import type { Audit, AuditDetails } from '../telemetry/audit.js';
import type { InFlight } from './in-flight.js';
import { parseIssuedBeforeMs } from './issued-before.js';
import type { GrpcLimits } from './limits.js';
import type { Settlement, UnaryCall, UnaryMethod } from './method.js';
import { findRevokeFaults, findSelector, findTargetKind } from './revoke-request.js';
import { toCodeName } from './status.js';
import { waitForCaches } from './wait-for-caches.js';
import { createWireReader } from './wire-reader.js';

export interface RevokeMethodDeps {
  readonly revoke: Revoke;
  readonly limits: Pick<GrpcLimits, 'tokenBytes'>;
  readonly audit: Audit;
  /** A secret's digest under the log key. */
  readonly digestToken: (token: string) => string;
  /** Where calls that wait for caches take room: they must not keep other revocations out. */
  readonly waitingRoom: InFlight;
}

interface RevokeResult extends Revoked {
  /** Of a call that waited for caches. */
  readonly wait?: Wait;
}

interface Wait {
  readonly isOver: boolean;
  /** Why it is not: the caller is told, though what was revoked is revoked. */
  readonly error?: unknown;
}

type RevokeCall = UnaryCall<RevokeRequest>;

export function createRevokeMethod(deps: RevokeMethodDeps): UnaryMethod<RevokeRequest, RevokeResult> {
  return {
    name: 'Revoke',
    authorize: (caller) => {
      // Which kind is asked for stands in the request; a caller without any kind is refused before it is read.
      if (caller.revoke.size === 0) requireRevoke(caller, 'token');
    },
    decode: (bytes) => RevokeRequest.decode(createWireReader(bytes)),
    handle: async (call) => {
      const { caller, request } = call;
      checkRequest(caller, request);
      if (!request.waitForCaches) return revoke(deps, call);
      call.moveTo(deps.waitingRoom);
      const result = await revoke(deps, call);
      // Now, not after the wait: a daemon that is killed meanwhile has revoked.
      writeAudit(deps, { requestId: call.requestId, caller, request, result, error: undefined });
      return { ...result, wait: await finishWait(result, call) };
    },
    encode: ({ revision, wait }) => {
      if (wait !== undefined && !wait.isOver) throw wait.error;
      return Buffer.from(RevokeResponse.encode({ revision }).finish());
    },
    record: {
      describe: ({ target }) => (target?.$case === 'token' ? { token: target.value } : {}),
      audit: (settlement) => {
        if (settlement.result?.wait === undefined) writeAudit(deps, settlement);
      },
    },
  };
}

function checkRequest(caller: Caller, request: RevokeRequest): void {
  const kind = findTargetKind(request);
  if (kind !== undefined) requireRevoke(caller, kind);
  const faults = findRevokeFaults(request);
  if (faults.length > 0) throw new IntrospectdError('REQUEST_INVALID', 'the request has faults', faults);
}

async function revoke({ revoke, limits }: RevokeMethodDeps, { caller, request }: RevokeCall): Promise<Revoked> {
  const { target, issuedBefore } = request;
  const selector = findSelector(request);
  if (selector !== undefined) {
    const issuedBeforeMs = issuedBefore && parseIssuedBeforeMs(issuedBefore);
    return revoke.allOf({ selector, issuedBeforeMs }, caller);
  }
  return revoke.token(parseToken(target?.$case === 'token' ? target.value : '', limits.tokenBytes), caller);
}

async function finishWait({ leasesEndInMs }: Revoked, call: RevokeCall): Promise<Wait> {
  call.extend(leasesEndInMs);
  try {
    await waitForCaches(leasesEndInMs, call.signal);
    return { isOver: true };
  } catch (error) {
    return { isOver: false, error };
  }
}

type RevokeSettlement = Settlement<RevokeRequest, Revoked>;

function writeAudit({ audit, digestToken }: RevokeMethodDeps, settlement: RevokeSettlement): void {
  audit.write({
    action: 'revoke',
    caller: settlement.caller?.name,
    requestId: settlement.requestId,
    code: toCodeName(settlement.error),
    details: toAuditDetails(settlement, digestToken),
  });
}

function toAuditDetails(
  { caller, request, result }: RevokeSettlement,
  digestToken: RevokeMethodDeps['digestToken'],
): AuditDetails {
  if (request === undefined) return {};
  const { target, issuedBefore } = request;
  const selector = findSelector(request);
  const token = target?.$case === 'token' ? target.value : '';
  const named = selector === undefined ? token : toSelectedText(selector);
  const reason = request.reason || undefined;
  return {
    kind: findTargetKind(request),
    // Any other text may be anything, also a token.
    iss: selector !== undefined && caller?.issuers.has(selector.iss) ? selector.iss : result?.iss,
    // Users and sessions are as little for the log as tokens are.
    value: named === '' ? undefined : digestToken(named),
    issuedBeforeMs: issuedBefore && parseIssuedBeforeMs(issuedBefore),
    beforeMs: result?.beforeMs,
    // A token that someone pasted into the reason must not reach the log by it.
    reason: token === '' ? reason : reason?.replaceAll(token, '(token)'),
    revision: result?.revision,
    waitsForCaches: request.waitForCaches || undefined,
  };
}
