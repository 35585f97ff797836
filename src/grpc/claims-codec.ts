// TokenClaims of a registration: every fault of them, their one encoding, and what the rules look at.
import { CLAIM_NAMES, type ClaimName, type JudgedClaims, toMask } from '../core/claims.js';
import type { FieldViolation } from '../core/errors.js';
import { TokenClaims, TokenUse } from '../gen/introspectd/v1/token_claims.js';
import { findStructFault, type StructValue, sortStruct } from './struct-values.js';

/** 9999-12-31T23:59:59Z. */
export const MAX_SECONDS = 253402300799n;

const MAX_AUDIENCES = 100;
// SHA-256 in base64url: 43 characters, of which the last carries four bits.
const SHA256_BASE64URL = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
// Of this message, and of the answer around it (RFC 7662 §2.2): a reader could not tell them apart.
const RESERVED: ReadonlySet<string> = new Set([...CLAIM_NAMES, 'active']);

export interface EncodedClaims {
  readonly judged: JudgedClaims;
  readonly encoded: Uint8Array;
  readonly mask: number;
}

/** All of them, with paths that begin with `path`. Values are never quoted. */
export function findClaimFaults(claims: TokenClaims, path: string): readonly FieldViolation[] {
  const faults = [
    ...findTimeFaults(claims),
    ...findTextFaults(claims),
    ...findConfirmationFaults(claims.cnf),
    ...findStructFaults(claims),
  ];
  return faults.map(({ field, description }) => ({ field: `${path}.${field}`, description }));
}

/** Only of claims without faults. Deterministic: unknown fields are dropped, keys are sorted. */
export function encodeClaims(claims: TokenClaims): EncodedClaims {
  const canonical = {
    ...claims,
    act: claims.act && sortStruct(claims.act),
    authorizationDetails: claims.authorizationDetails.map(sortStruct),
    extra: claims.extra && sortStruct(claims.extra),
  };
  return {
    judged: toJudged(claims),
    encoded: TokenClaims.encode(canonical).finish(),
    mask: toMask(CLAIM_NAMES.filter((name) => isPresent(toFields(claims)[name]))),
  };
}

function findTimeFaults(claims: TokenClaims): FieldViolation[] {
  const { exp, iat, nbf } = claims;
  return [
    ...findTimeFault('exp', exp),
    ...(exp === undefined ? [required('exp')] : []),
    ...findTimeFault('iat', iat),
    ...(iat === undefined ? [required('iat')] : []),
    ...findTimeFault('nbf', nbf),
    ...findTimeFault('auth_time', claims.authTime),
  ];
}

function findTimeFault(field: ClaimName, seconds: bigint | undefined): FieldViolation[] {
  if (seconds === undefined || (seconds >= 0n && seconds <= MAX_SECONDS)) return [];
  return [{ field, description: `must be seconds since the epoch, 0..${MAX_SECONDS}` }];
}

function findTextFaults(claims: TokenClaims): FieldViolation[] {
  const { iss, jti, sid, sub, aud, tokenUse } = claims;
  const faults: FieldViolation[] = [];
  if (iss === undefined) faults.push(required('iss'));
  if (tokenUse !== TokenUse.ACCESS_TOKEN && tokenUse !== TokenUse.REFRESH_TOKEN) {
    const description = 'is required: TOKEN_USE_ACCESS_TOKEN or TOKEN_USE_REFRESH_TOKEN';
    faults.push({ field: 'token_use', description });
  }
  const identifiers = { iss, jti, sid, sub, grant_id: claims.grantId, client_id: claims.clientId };
  for (const [field, text] of Object.entries(identifiers)) {
    if (text === '') faults.push({ field, description: 'must not be empty' });
  }
  if (aud.length > MAX_AUDIENCES) faults.push({ field: 'aud', description: `has more than ${MAX_AUDIENCES} members` });
  if (aud.includes('')) faults.push({ field: `aud[${aud.indexOf('')}]`, description: 'must not be empty' });
  return faults;
}

function findConfirmationFaults(cnf: TokenClaims['cnf']): FieldViolation[] {
  if (cnf === undefined) return [];
  const faults = Object.entries({ x5t_s256: cnf.x5tS256, jkt: cnf.jkt })
    .filter(([, thumbprint]) => thumbprint !== undefined && !SHA256_BASE64URL.test(thumbprint))
    .map(([member]) => ({ field: `cnf.${member}`, description: 'must be base64url of a SHA-256, 43 characters' }));
  if (cnf.x5tS256 !== undefined || cnf.jkt !== undefined) return faults;
  return [{ field: 'cnf', description: 'must have x5t_s256 or jkt: no other confirmation can be told to a reader' }];
}

function findStructFaults(claims: TokenClaims): FieldViolation[] {
  const structs: (readonly [field: string, value: StructValue | undefined])[] = [
    ['act', claims.act],
    ...claims.authorizationDetails.map((value, index) => [`authorization_details[${index}]`, value] as const),
    ['extra', claims.extra],
  ];
  const faults = structs.flatMap(([field, value]) => {
    const description = value && findStructFault(value);
    return description === undefined ? [] : [{ field, description }];
  });
  const reserved = Object.keys(claims.extra ?? {}).filter((name) => RESERVED.has(name));
  return [...faults, ...reserved.map((name) => ({ field: `extra.${name}`, description: 'is a reserved name' }))];
}

function required(field: ClaimName): FieldViolation {
  return { field, description: 'is required' };
}

function toJudged(claims: TokenClaims): JudgedClaims {
  return {
    iss: claims.iss ?? '',
    aud: claims.aud,
    expSeconds: Number(claims.exp),
    iatSeconds: Number(claims.iat),
    nbfSeconds: claims.nbf === undefined ? undefined : Number(claims.nbf),
    tokenUse: claims.tokenUse === TokenUse.REFRESH_TOKEN ? 'refresh_token' : 'access_token',
    jti: claims.jti,
    grantId: claims.grantId,
    sid: claims.sid,
    clientId: claims.clientId,
    sub: claims.sub,
  };
}

function toFields(claims: TokenClaims): Readonly<Record<ClaimName, unknown>> {
  return {
    scope: claims.scope,
    client_id: claims.clientId,
    username: claims.username,
    token_type: claims.tokenType,
    exp: claims.exp,
    iat: claims.iat,
    nbf: claims.nbf,
    sub: claims.sub,
    aud: claims.aud,
    iss: claims.iss,
    jti: claims.jti,
    cnf: claims.cnf,
    act: claims.act,
    authorization_details: claims.authorizationDetails,
    sid: claims.sid,
    acr: claims.acr,
    auth_time: claims.authTime,
    token_use: claims.tokenUse,
    grant_id: claims.grantId,
    extra: claims.extra,
  };
}

/** A repeated field without members is not on the wire. */
function isPresent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
