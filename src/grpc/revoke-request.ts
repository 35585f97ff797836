// What a RevokeRequest asks for, in the words of core, and its faults, all at once and by path.
import type { FieldViolation } from '../core/errors.js';
import type { TagKind } from '../core/key-ring.js';
import { NEVER_REUSED, type Selector } from '../core/token-tags.js';
import type { RevocationSelector, RevokeRequest } from '../gen/introspectd/v1/introspection_service.js';
import { parseIssuedBeforeMs } from './issued-before.js';

type Selected = NonNullable<RevocationSelector['by']>;

const MAX_REASON_BYTES = 256;

const VALUE_KINDS = { jti: 'jti', grantId: 'grant', sid: 'session', clientId: 'client', sub: 'subject' } as const;
const KINDS = { ...VALUE_KINDS, subjectClient: 'subject_client', allTokens: 'issuer' } as const;
const VALUE_FIELDS = { jti: 'jti', grantId: 'grant_id', sid: 'sid', clientId: 'client_id', sub: 'sub' } as const;

/** Undefined where the request does not say. */
export function findTargetKind({ target }: RevokeRequest): TagKind | undefined {
  if (target?.$case !== 'selector') return target && 'token';
  return target.value.by && KINDS[target.value.by.$case];
}

export function findSelector({ target }: RevokeRequest): Selector | undefined {
  if (target?.$case !== 'selector' || target.value.by === undefined) return undefined;
  const { iss, by } = target.value;
  switch (by.$case) {
    case 'allTokens':
      return { kind: 'issuer', iss };
    case 'subjectClient':
      return { kind: 'subject_client', iss, sub: by.value.sub, clientId: by.value.clientId };
    default:
      return { kind: VALUE_KINDS[by.$case], iss, value: by.value };
  }
}

/** Nothing is revoked while there is one. */
export function findRevokeFaults(request: RevokeRequest): readonly FieldViolation[] {
  const { target, reason } = request;
  const faults: FieldViolation[] = [];
  if (target === undefined) faults.push({ field: 'target', description: 'token or selector is required' });
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    faults.push({ field: 'reason', description: `has more than ${MAX_REASON_BYTES} bytes` });
  }
  if (target?.$case === 'selector') faults.push(...findSelectorFaults(target.value));
  const issuedBefore = findIssuedBeforeFault(request);
  if (issuedBefore !== undefined) faults.push({ field: 'issued_before', description: issuedBefore });
  return faults;
}

function findSelectorFaults({ iss, by }: RevocationSelector): readonly FieldViolation[] {
  const fields = {
    ...(by === undefined ? { by: '' } : toFields(by)),
    iss,
  };
  const empty = Object.entries(fields).filter(([, value]) => value === '');
  return empty.map(([field]) => ({ field: `selector.${field}`, description: 'is required, and must not be empty' }));
}

function toFields(by: Selected): Readonly<Record<string, string>> {
  switch (by.$case) {
    case 'allTokens':
      return {};
    case 'subjectClient':
      return { 'subject_client.sub': by.value.sub, 'subject_client.client_id': by.value.clientId };
    default:
      return { [VALUE_FIELDS[by.$case]]: by.value };
  }
}

function findIssuedBeforeFault(request: RevokeRequest): string | undefined {
  const { issuedBefore } = request;
  const kind = findTargetKind(request);
  if (issuedBefore === undefined || kind === undefined) return undefined;
  if (kind === 'token' || NEVER_REUSED.includes(kind)) {
    return 'is only for client_id, sub, subject_client and all_tokens: all else is revoked for good';
  }
  return parseIssuedBeforeMs(issuedBefore) === undefined ? 'must be an instant after 1970 and before 10000' : undefined;
}
