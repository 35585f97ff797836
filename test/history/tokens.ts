// The tokens of a history test, each known by its number alone: every process can tell what a token belongs to.

export interface TokenFacts {
  readonly token: string;
  readonly iss: string;
  readonly jti: string;
  readonly grantId: string;
  readonly sid: string;
  readonly clientId: string;
  readonly sub: string;
  readonly isRefresh: boolean;
  readonly isShortLived: boolean;
}

const TOKENS_OF_A_GRANT = 4;
const TOKENS_OF_AN_ISSUER = 96;
const SUBJECTS = 40;
const CLIENTS = 12;

export const ISSUERS = Array.from({ length: 6 }, (_, index) => `https://login-${index}.example`);
export const AUDIENCE = 'https://orders.example';

export function describeToken(id: number): TokenFacts {
  const grant = Math.floor(id / TOKENS_OF_A_GRANT);
  const isRefresh = id % TOKENS_OF_A_GRANT === 0;
  return {
    token: `token-${id}`,
    // In turns, so that an issuer whose tokens were all revoked comes back with new ones.
    iss: ISSUERS[Math.floor(id / TOKENS_OF_AN_ISSUER) % ISSUERS.length] ?? '',
    jti: `jti-${id}`,
    grantId: `grant-${grant}`,
    sid: `session-${grant}`,
    clientId: `client-${grant % CLIENTS}`,
    sub: `user-${grant % SUBJECTS}`,
    isRefresh,
    isShortLived: !isRefresh && grant % 3 === 0,
  };
}
