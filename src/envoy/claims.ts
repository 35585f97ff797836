// Stored claims for a verdict, and what a caller may pass on of them.

import type { CheckedClaims } from '../core/check.js';
import { type CLAIM_FIELDS, CLAIM_NAMES, type ClaimName, toMask } from '../core/claims.js';
import { StoreUnavailable } from '../core/errors.js';
import type { Caller } from '../core/policy.js';
import { TokenClaims, TokenUse } from '../gen/introspectd/v1/token_claims.js';

export interface DecodedClaims extends CheckedClaims {
  readonly message: TokenClaims;
}

/** RFC 7662 names. */
export type VisibleClaims = Readonly<Partial<Record<ClaimName, unknown>>>;

const TOKEN_USES: ReadonlyMap<number, string> = new Map([
  [TokenUse.ACCESS_TOKEN, 'access_token'],
  [TokenUse.REFRESH_TOKEN, 'refresh_token'],
]);

const READ: Readonly<Record<keyof typeof CLAIM_FIELDS, (claims: TokenClaims) => unknown>> = {
  scope: ({ scope }) => scope,
  client_id: ({ clientId }) => clientId,
  username: ({ username }) => username,
  token_type: ({ tokenType }) => tokenType,
  exp: ({ exp }) => toNumber(exp),
  iat: ({ iat }) => toNumber(iat),
  nbf: ({ nbf }) => toNumber(nbf),
  sub: ({ sub }) => sub,
  aud: ({ aud }) => toOptionalList(aud),
  iss: ({ iss }) => iss,
  jti: ({ jti }) => jti,
  cnf: ({ cnf }) => cnf && withoutUndefined({ 'x5t#S256': cnf.x5tS256, jkt: cnf.jkt }),
  act: ({ act }) => act,
  authorization_details: ({ authorizationDetails }) => toOptionalList(authorizationDetails),
  sid: ({ sid }) => sid,
  acr: ({ acr }) => acr,
  auth_time: ({ authTime }) => toNumber(authTime),
  token_use: ({ tokenUse }) => toTokenUse(tokenUse),
  grant_id: ({ grantId }) => grantId,
  extra: ({ extra }) => extra,
};
const BITS = CLAIM_NAMES.map((name) => ({ name, bit: toMask([name]) }));

/** Throws StoreUnavailable on bytes that cannot be read: a doubt is not an answer. */
export function decodeClaims(bytes: Uint8Array): DecodedClaims {
  const message = decodeMessage(bytes);
  const { iss, scope, acr, cnf } = message;
  return { message, iss, scope, acr, cnf, tokenUse: toTokenUse(message.tokenUse) };
}

/** What the caller's policy lets it see, of what there is. */
export function toVisibleClaims({ message }: DecodedClaims, caller: Caller): VisibleClaims {
  const visible: Partial<Record<ClaimName, unknown>> = {};
  for (const { name, bit } of BITS) {
    if ((caller.claimsMask & bit) === 0) continue;
    const value = READ[name](message);
    if (value !== undefined) visible[name] = value;
  }
  return visible;
}

function decodeMessage(bytes: Uint8Array): TokenClaims {
  try {
    return TokenClaims.decode(bytes);
  } catch (cause) {
    throw new StoreUnavailable('the claims of a record cannot be read', { cause });
  }
}

function toTokenUse(value: number | undefined): string | undefined {
  return value === undefined ? undefined : TOKEN_USES.get(value);
}

function toNumber(seconds: bigint | undefined): number | undefined {
  return seconds === undefined ? undefined : Number(seconds);
}

function toOptionalList<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
