// What guards let through, as rows that go through every door.
import type { Confirmation, IntrospectionResult } from '@introspectd/client';
import { IntrospectionError } from '@introspectd/client';
import { MINIMAL_RESULT } from './support/messages.js';

export const AUDIENCE = 'https://orders.example';
export const REQUIREMENTS = { audiences: [AUDIENCE], scopes: ['orders:read', 'orders:write'] } as const;

export type Outcome = 'allowed' | 'no_token' | 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'unknown';

export interface GuardCase {
  readonly name: string;
  /** Values of the Authorization field. */
  readonly authorization: readonly string[];
  /** What the daemon answers. Default: a good token. */
  readonly result?: IntrospectionResult | IntrospectionError;
  readonly expect: Outcome;
}

export const GOOD = {
  ...MINIMAL_RESULT,
  aud: [AUDIENCE, 'https://billing.example'],
  scope: 'orders:write orders:read profile',
  sub: 'alice',
} as const;

const token = ['Bearer t'];
const cnf = (members: Confirmation) => ({ ...GOOD, cnf: members });

export const GUARD_CASES: readonly GuardCase[] = [
  { name: 'a good token', authorization: token, expect: 'allowed' },
  { name: 'the scheme in other letters', authorization: ['bEARER t'], expect: 'allowed' },
  { name: 'all characters of a b64token', authorization: ['Bearer aZ09-._~+/=='], expect: 'allowed' },
  { name: 'no token', authorization: [], expect: 'no_token' },
  { name: 'another scheme', authorization: ['Basic dTpw'], expect: 'no_token' },
  { name: 'a scheme that begins alike', authorization: ['BearerX t'], expect: 'no_token' },
  { name: 'a DPoP token as DPoP', authorization: ['DPoP t'], expect: 'no_token' },
  { name: 'the scheme alone', authorization: ['Bearer'], expect: 'invalid_request' },
  { name: 'two tokens in one value', authorization: ['Bearer t, Bearer u'], expect: 'invalid_request' },
  { name: 'characters that no token has', authorization: ['Bearer t"'], expect: 'invalid_request' },
  { name: 'an inactive token', authorization: token, result: { active: false }, expect: 'invalid_token' },
  { name: 'no aud', authorization: token, result: { ...GOOD, aud: [] }, expect: 'invalid_token' },
  { name: 'another aud', authorization: token, result: { ...GOOD, aud: [`${AUDIENCE}/`] }, expect: 'invalid_token' },
  {
    name: 'a refresh token',
    authorization: token,
    result: { ...GOOD, token_use: 'refresh_token' },
    expect: 'invalid_token',
  },
  { name: 'a token for nothing known', authorization: token, result: withoutTokenUse(), expect: 'invalid_token' },
  { name: 'one scope', authorization: token, result: { ...GOOD, scope: 'orders:read' }, expect: 'insufficient_scope' },
  {
    name: 'a longer scope',
    authorization: token,
    result: { ...GOOD, scope: 'orders:read orders:writer' },
    expect: 'insufficient_scope',
  },
  { name: 'no scope', authorization: token, result: { ...GOOD, scope: '' }, expect: 'insufficient_scope' },
  { name: 'a DPoP key', authorization: token, result: cnf({ jkt: 'k' }), expect: 'invalid_token' },
  {
    name: 'a token of type DPoP',
    authorization: token,
    result: { ...GOOD, token_type: 'DPoP' },
    expect: 'invalid_token',
  },
  {
    name: 'a certificate that is not there',
    authorization: token,
    result: cnf({ 'x5t#S256': 'x' }),
    expect: 'invalid_token',
  },
  ...(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'PERMISSION_DENIED', 'INTERNAL', 'CANCELLED'] as const).map((code) => ({
    name: `no answer: ${code}`,
    authorization: token,
    result: new IntrospectionError(code, 'no'),
    expect: 'unknown' as const,
  })),
  {
    name: 'a token that is longer than any',
    authorization: token,
    result: new IntrospectionError('INVALID_ARGUMENT', 'no', { reason: 'TOKEN_TOO_LONG' }),
    expect: 'invalid_token',
  },
];

function withoutTokenUse(): IntrospectionResult {
  const { token_use: _, ...rest } = GOOD;
  return rest;
}
