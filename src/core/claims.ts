// The names of claims (RFC 7662 §2.2 and friends) and what each costs in a presence mask.
import type { TokenUse } from './entry.js';

/** Claim name -> field number in proto/introspectd/v1/token_claims.proto; bit n of a mask stands for field n. */
export const CLAIM_FIELDS = {
  scope: 1,
  client_id: 2,
  username: 3,
  token_type: 4,
  exp: 5,
  iat: 6,
  nbf: 7,
  sub: 8,
  aud: 9,
  iss: 10,
  jti: 11,
  cnf: 12,
  act: 13,
  authorization_details: 14,
  sid: 15,
  acr: 16,
  auth_time: 17,
  token_use: 18,
  grant_id: 19,
  extra: 20,
} as const;
export type ClaimName = keyof typeof CLAIM_FIELDS;

export const CLAIM_NAMES = Object.keys(CLAIM_FIELDS) as readonly ClaimName[];

/** Part of every active answer: without them a resource server cannot tell whether the token is for it. */
export const ALWAYS_SHOWN: readonly ClaimName[] = ['iss', 'aud', 'exp', 'nbf', 'cnf', 'token_type', 'token_use'];

/** What a caller sees beyond ALWAYS_SHOWN when its policy lists no claims. */
export const SHOWN_BY_DEFAULT: readonly ClaimName[] = ['scope', 'client_id', 'sub', 'iat', 'jti', 'acr', 'auth_time'];

export function toMask(names: Iterable<ClaimName>): number {
  let mask = 0;
  for (const name of names) mask |= 1 << CLAIM_FIELDS[name];
  return mask;
}

/** The claims that the rules look at; the rest travels as bytes. Times are seconds since the epoch. */
export interface JudgedClaims {
  readonly iss: string;
  readonly aud: readonly string[];
  readonly expSeconds: number;
  readonly iatSeconds: number;
  readonly nbfSeconds: number | undefined;
  readonly tokenUse: TokenUse;
  readonly jti: string | undefined;
  readonly grantId: string | undefined;
  readonly sid: string | undefined;
  readonly clientId: string | undefined;
  readonly sub: string | undefined;
}
