// Entries of RegisterTokens, and every fault that one can have: the table of registration.test.ts.
import { TokenClaims, TokenUse } from '../../src/gen/introspectd/v1/token_claims.js';
import type { TokenEntry } from '../../src/gen/introspectd/v1/token_registry_service.js';
import { AUDIENCE, ISSUER } from '../support/start-server.js';

export const THUMBPRINT = 'A'.repeat(43);
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
export const MAX_SECONDS = 253402300799n;

/** Of the test server: FAULTS are judged by them. */
export const ENTRY_LIMITS = { registerItems: 3, tokenBytes: 16, claimsBytes: 1000 } as const;

export const GOOD_CLAIMS: TokenClaims = {
  ...TokenClaims.decode(new Uint8Array(0)),
  iss: ISSUER,
  aud: [AUDIENCE],
  exp: 2_000_000_000n,
  iat: 1_000_000_000n,
  tokenUse: TokenUse.ACCESS_TOKEN,
};

export function createEntry(claims: Partial<TokenClaims> = {}, rest: Partial<TokenEntry> = {}): TokenEntry {
  const credential = { $case: 'token' as const, value: 'abc' };
  return { credential, claims: { ...GOOD_CLAIMS, ...claims }, issuedAtMs: undefined, ...rest };
}

/** Objects in objects. */
export const deep = (levels: number): Record<string, unknown> => (levels === 1 ? {} : { in: deep(levels - 1) });

export interface EntryFault {
  readonly name: string;
  readonly entry: TokenEntry;
  readonly reason?: string;
  readonly fields?: readonly string[];
}

export const ENTRY_FAULTS: readonly EntryFault[] = [
  {
    name: 'nothing at all',
    entry: { credential: { $case: 'token', value: 'abc' }, claims: undefined, issuedAtMs: undefined },
    fields: ['claims.exp', 'claims.iat', 'claims.iss', 'claims.token_use'],
  },
  { name: 'no exp', entry: createEntry({ exp: undefined }), fields: ['claims.exp'] },
  { name: 'no iat', entry: createEntry({ iat: undefined }), fields: ['claims.iat'] },
  { name: 'no iss', entry: createEntry({ iss: undefined }), fields: ['claims.iss'] },
  { name: 'no token_use', entry: createEntry({ tokenUse: undefined }), fields: ['claims.token_use'] },
  { name: 'token_use 0', entry: createEntry({ tokenUse: 0 }), fields: ['claims.token_use'] },
  { name: 'token_use 3', entry: createEntry({ tokenUse: 3 as TokenUse }), fields: ['claims.token_use'] },
  {
    name: 'negative times',
    entry: createEntry({ exp: -1n, iat: -1n, nbf: -1n, authTime: -1n }, { issuedAtMs: -1n }),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'times after the year 9999',
    entry: createEntry(
      { exp: MAX_SECONDS + 1n, iat: MAX_SECONDS + 1n, nbf: MAX_SECONDS + 1n, authTime: MAX_SECONDS + 1n },
      { issuedAtMs: MAX_SECONDS * 1000n + 1000n },
    ),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'the greatest int64',
    entry: createEntry(
      { exp: INT64_MAX, iat: INT64_MAX, nbf: INT64_MAX, authTime: INT64_MAX },
      { issuedAtMs: INT64_MAX },
    ),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'the least int64',
    entry: createEntry(
      { exp: INT64_MIN, iat: INT64_MIN, nbf: INT64_MIN, authTime: INT64_MIN },
      { issuedAtMs: INT64_MIN },
    ),
    fields: ['claims.exp', 'claims.iat', 'claims.nbf', 'claims.auth_time', 'issued_at_ms'],
  },
  {
    name: 'empty identifiers',
    entry: createEntry({ iss: '', jti: '', sid: '', sub: '', grantId: '', clientId: '', aud: ['a', ''] }),
    fields: [
      'claims.iss',
      'claims.jti',
      'claims.sid',
      'claims.sub',
      'claims.grant_id',
      'claims.client_id',
      'claims.aud[1]',
    ],
  },
  {
    name: 'too many audiences',
    entry: createEntry({ aud: Array.from({ length: 101 }, (_, index) => `${index}`) }),
    fields: ['claims.aud'],
  },
  { name: 'an empty cnf', entry: createEntry({ cnf: {} }), fields: ['claims.cnf'] },
  {
    name: 'thumbprints of a wrong form',
    entry: createEntry({ cnf: { x5tS256: `${THUMBPRINT}A`, jkt: 'A'.repeat(42).concat('B') } }),
    fields: ['claims.cnf.x5t_s256', 'claims.cnf.jkt'],
  },
  { name: 'an empty thumbprint', entry: createEntry({ cnf: { jkt: '' } }), fields: ['claims.cnf.jkt'] },
  {
    name: 'reserved names in extra',
    entry: createEntry({ extra: { active: true, exp: 1, tenant: 'x', sub: null } }),
    fields: ['claims.extra.active', 'claims.extra.exp', 'claims.extra.sub'],
  },
  { name: 'NaN', entry: createEntry({ act: { a: [1, { b: Number.NaN }] } }), fields: ['claims.act'] },
  { name: 'infinity', entry: createEntry({ extra: { a: Number.NEGATIVE_INFINITY } }), fields: ['claims.extra'] },
  {
    name: 'a list element of no kind',
    entry: createEntry({ authorizationDetails: [{ a: 1 }, { b: [undefined] }] }),
    fields: ['claims.authorization_details[1]'],
  },
  { name: 'too many levels', entry: createEntry({ act: deep(21) }), fields: ['claims.act'] },
  { name: 'claims over the limit', entry: createEntry({ scope: 'x'.repeat(1000) }), reason: 'CLAIMS_TOO_LARGE' },
  { name: 'no credential', entry: createEntry({}, { credential: undefined }), reason: 'TOKEN_REQUIRED' },
  {
    name: 'an empty token',
    entry: createEntry({}, { credential: { $case: 'token', value: '' } }),
    reason: 'TOKEN_REQUIRED',
  },
  {
    name: 'a malformed token',
    entry: createEntry({}, { credential: { $case: 'token', value: 'a b' } }),
    reason: 'TOKEN_MALFORMED',
  },
  {
    name: 'a token that is too long',
    entry: createEntry({}, { credential: { $case: 'token', value: 'x'.repeat(17) } }),
    reason: 'TOKEN_TOO_LONG',
  },
  {
    name: 'a digest of a wrong length',
    entry: createEntry({}, { credential: { $case: 'tokenSha256', value: Buffer.alloc(31) } }),
    reason: 'TOKEN_MALFORMED',
  },
];
