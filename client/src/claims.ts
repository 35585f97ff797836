// From the message to the plain result. What breaks the contract is an error, never an answer.
import { InactiveReason, type IntrospectResponse } from './gen/introspectd/v1/introspection_service.js';
import type { Confirmation as ConfirmationMessage, TokenClaims } from './gen/introspectd/v1/token_claims.js';
import { TokenUse as TokenUseNumber } from './gen/introspectd/v1/token_claims.js';
import { IntrospectionError } from './introspection-error.js';
import type {
  ActiveToken,
  Confirmation,
  InactiveToken,
  IntrospectionResult,
  InactiveReason as Reason,
  TokenUse,
} from './introspection-result.js';

// 9999-12-31T23:59:59Z, the last second that the protocol can name.
const LAST_SECOND = 253_402_300_799n;

const INACTIVE_REASONS: ReadonlyMap<number, Reason> = new Map([
  [InactiveReason.NOT_FOUND, 'NOT_FOUND'],
  [InactiveReason.REVOKED, 'REVOKED'],
  [InactiveReason.EXPIRED, 'EXPIRED'],
  [InactiveReason.NOT_YET_VALID, 'NOT_YET_VALID'],
  [InactiveReason.AUDIENCE_MISMATCH, 'AUDIENCE_MISMATCH'],
  [InactiveReason.TOKEN_USE_MISMATCH, 'TOKEN_USE_MISMATCH'],
]);

const TOKEN_USES: ReadonlyMap<number, TokenUse> = new Map([
  [TokenUseNumber.ACCESS_TOKEN, 'access_token'],
  [TokenUseNumber.REFRESH_TOKEN, 'refresh_token'],
]);

/** Throws INTERNAL for an answer that breaks the contract. Frozen all through: calls may share it. */
export function toIntrospectionResult(response: IntrospectResponse): IntrospectionResult {
  return freezeDeep(toOwnResult(response));
}

function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freezeDeep(member);
  return Object.freeze(value);
}

/** The same, not frozen: for one who shares it with nobody. */
export function toOwnResult(response: IntrospectResponse): IntrospectionResult {
  const { active, claims } = response;
  if (active === false && claims === undefined) return toInactive(response);
  if (active !== true) throw malformed('an inactive answer with claims');
  if (claims === undefined) throw malformed('an active answer without claims');
  if (response.inactiveReason !== InactiveReason.UNSPECIFIED)
    throw malformed('an active answer with an inactive_reason');
  return toActive(claims);
}

function toInactive({ inactiveReason }: IntrospectResponse): InactiveToken {
  const reason = INACTIVE_REASONS.get(inactiveReason);
  return reason === undefined ? { active: false } : { active: false, inactive_reason: reason };
}

function toActive(claims: TokenClaims): ActiveToken {
  if (!claims.iss) throw malformed('an active answer without iss');
  if (claims.exp === undefined) throw malformed('an active answer without exp');
  const named = {
    active: true as const,
    iss: claims.iss,
    exp: toNumericDate(claims.exp),
    scope: claims.scope,
    client_id: claims.clientId,
    username: claims.username,
    token_type: claims.tokenType,
    iat: toOptionalNumericDate(claims.iat),
    nbf: toOptionalNumericDate(claims.nbf),
    sub: claims.sub,
    aud: claims.aud.length === 0 ? undefined : claims.aud,
    jti: claims.jti,
    cnf: claims.cnf && toConfirmation(claims.cnf),
    act: claims.act,
    authorization_details: claims.authorizationDetails.length === 0 ? undefined : claims.authorizationDetails,
    sid: claims.sid,
    acr: claims.acr,
    auth_time: toOptionalNumericDate(claims.authTime),
    token_use: claims.tokenUse === undefined ? undefined : toTokenUse(claims.tokenUse),
    grant_id: claims.grantId,
  };
  // Named members are there even when undefined, so nothing in extra can stand in for a claim that is not shown.
  const result = omitUndefined(named);
  if (claims.extra === undefined) return result;
  const extra = Object.entries(claims.extra).filter(([name]) => !Object.hasOwn(named, name));
  return { ...result, ...Object.fromEntries(extra) };
}

// A key this version cannot name must not turn a bound token into a bearer token.
function toConfirmation({ x5tS256, jkt }: ConfirmationMessage): Confirmation {
  if (!x5tS256 && !jkt) throw malformed('a cnf without a member that this version knows');
  return omitUndefined({ 'x5t#S256': x5tS256, jkt });
}

function toTokenUse(value: number): TokenUse {
  const use = TOKEN_USES.get(value);
  if (use === undefined) throw malformed('a token_use that this version does not know');
  return use;
}

function toOptionalNumericDate(seconds: bigint | undefined): number | undefined {
  return seconds === undefined ? undefined : toNumericDate(seconds);
}

function toNumericDate(seconds: bigint): number {
  if (seconds < 0n || seconds > LAST_SECOND) throw malformed('a time out of range');
  return Number(seconds);
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Once for every answer, so without lists of entries. */
function omitUndefined<T extends object>(members: T): Defined<T> {
  const defined: Record<string, unknown> = {};
  for (const name in members) if (members[name] !== undefined) defined[name] = members[name];
  return defined as Defined<T>;
}

/** An answer that breaks the contract. `what` is fixed text. */
export function malformed(what: string): IntrospectionError {
  return new IntrospectionError('INTERNAL', `malformed answer: ${what}`);
}
