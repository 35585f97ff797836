// From what revoke() is given to the message that asks for it.
import type { Timestamp } from './gen/google/protobuf/timestamp.js';
import type { RevokeRequest, RevocationSelector as WireSelector } from './gen/introspectd/v1/introspection_service.js';
import type { RevokeOptions } from './introspection-client.js';
import { IntrospectionError } from './introspection-error.js';
import type { RevocationSelector } from './revocation-selector.js';

type Selected = NonNullable<WireSelector['by']>;

/** Throws INVALID_ARGUMENT. */
export function toRevokeRequest(target: string | RevocationSelector, options: RevokeOptions): RevokeRequest {
  const { reason = '', issuedBefore, waitForCaches = false } = options;
  return {
    target: toTarget(target),
    issuedBefore: issuedBefore && toTimestamp(issuedBefore),
    reason,
    waitForCaches,
  };
}

function toTarget(target: unknown): RevokeRequest['target'] {
  if (typeof target === 'string') return { $case: 'token', value: target };
  if (typeof target !== 'object' || target === null) {
    throw new IntrospectionError('INVALID_ARGUMENT', 'a token is a string, and a selector is an object');
  }
  return { $case: 'selector', value: toWireSelector(target as RevocationSelector) };
}

function toTimestamp(instant: Date): Timestamp {
  const ms = instant.getTime();
  if (!Number.isFinite(ms)) throw new IntrospectionError('INVALID_ARGUMENT', 'issuedBefore is no instant');
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** Throws INVALID_ARGUMENT: a member too many must not choose what is revoked. */
function toWireSelector({ iss, ...members }: RevocationSelector): WireSelector {
  const { jti, grant_id: grantId, sid, sub, client_id: clientId, all_tokens: allTokens } = members;
  const candidates: readonly (Selected | undefined)[] = [
    jti === undefined ? undefined : { $case: 'jti', value: jti },
    grantId === undefined ? undefined : { $case: 'grantId', value: grantId },
    sid === undefined ? undefined : { $case: 'sid', value: sid },
    toUserOrClient(sub, clientId),
    allTokens === undefined ? undefined : { $case: 'allTokens', value: {} },
  ];
  const [by, ...others] = candidates.filter((candidate) => candidate !== undefined);
  if (by === undefined || others.length > 0 || !isComplete(iss, members)) {
    throw new IntrospectionError(
      'INVALID_ARGUMENT',
      'a selector has iss and exactly one of jti, grant_id, sid, sub, client_id, sub with client_id, all_tokens; none empty',
    );
  }
  return { iss, by };
}

function toUserOrClient(sub: string | undefined, clientId: string | undefined): Selected | undefined {
  if (sub !== undefined && clientId !== undefined) return { $case: 'subjectClient', value: { sub, clientId } };
  if (sub !== undefined) return { $case: 'sub', value: sub };
  return clientId === undefined ? undefined : { $case: 'clientId', value: clientId };
}

/** Plain JavaScript may give anything. */
function isComplete(iss: unknown, members: Readonly<Record<string, unknown>>): boolean {
  const { all_tokens: allTokens, ...texts } = members;
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  return (
    isText(iss) &&
    (allTokens === undefined || allTokens === true) &&
    Object.values(texts).every((value) => value === undefined || isText(value))
  );
}
