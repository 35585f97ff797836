// The rules of a Check as rows: what the request brings, what route and profile demand, and what becomes of it.
import type { Denial } from '../../src/core/check.js';
import type { Profile } from '../../src/core/demands.js';
import type { CheckRule } from '../../src/core/policy.js';
import type { TokenClaims } from '../../src/gen/introspectd/v1/token_claims.js';
import { AUDIENCE, ISSUER } from './introspect-cases.js';

export const CHECK_TOKEN = 'a-token-of-the-check-cases';
export const BEARER = `Bearer ${CHECK_TOKEN}`;
const THUMBPRINT = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2';

export interface CheckCase {
  readonly name: string;
  /** Default: one good Authorization. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly path?: string;
  readonly extensions?: Readonly<Record<string, string>>;
  readonly profiles?: Readonly<Record<string, Profile>>;
  readonly rule?: Partial<CheckRule>;
  /** Of the caller's policy. */
  readonly audiences?: readonly string[];
  /** Over those of a good token; undefined = the token is not active. */
  readonly claims?: Partial<TokenClaims> | undefined;
  readonly thumbprint?: string;
  readonly expect: 'allowed' | 'anonymous' | Denial;
}

const authorization = (...values: string[]) => ({ headers: { authorization: values } });
const inactive = { claims: undefined };
const demanding = (extensions: Readonly<Record<string, string>>) => ({ extensions });
const open = { rule: { anonymous: true }, extensions: { anonymous: 'true' } };

const CREDENTIALS: readonly CheckCase[] = [
  { name: 'a good token', expect: 'allowed' },
  { name: 'no header', headers: {}, expect: 'credential_missing' },
  { name: 'the scheme in capitals', ...authorization(`BEARER ${CHECK_TOKEN}`), expect: 'allowed' },
  { name: 'several spaces', ...authorization(`Bearer   ${CHECK_TOKEN}`), expect: 'allowed' },
  { name: 'two headers', ...authorization(BEARER, BEARER), expect: 'credential_fault' },
  { name: 'two headers, the second empty', ...authorization(BEARER, ''), expect: 'credential_fault' },
  { name: 'two, joined by a comma', ...authorization(`${BEARER},${BEARER}`), expect: 'credential_fault' },
  { name: 'two tokens, joined by a comma', ...authorization(`${BEARER},x`), expect: 'token_fault' },
  { name: 'an empty header', ...authorization(''), expect: 'credential_fault' },
  { name: 'the scheme alone', ...authorization('Bearer'), expect: 'credential_fault' },
  { name: 'the scheme and a space', ...authorization('Bearer '), expect: 'credential_fault' },
  { name: 'a tab after the scheme', ...authorization(`Bearer\t${CHECK_TOKEN}`), expect: 'credential_fault' },
  { name: 'the token alone', ...authorization(CHECK_TOKEN), expect: 'credential_fault' },
  { name: 'another scheme', ...authorization('Basic YTpi'), expect: 'credential_fault' },
  { name: 'DPoP', ...authorization(`DPoP ${CHECK_TOKEN}`), expect: 'credential_fault' },
  { name: 'more behind the token', ...authorization(`${BEARER} x`), expect: 'credential_fault' },
  { name: 'a character that no token has', ...authorization(`${BEARER}!`), expect: 'token_fault' },
  { name: 'bytes that are not ASCII', ...authorization(`${BEARER}\u00e9`), expect: 'token_fault' },
  { name: 'what replaces bytes that are not UTF-8', ...authorization(`${BEARER}\ufffd`), expect: 'token_fault' },
  { name: 'an oversized token', ...authorization(`Bearer ${'x'.repeat(4097)}`), expect: 'token_fault' },
  { name: 'a token in the query', path: `/a?access_token=${CHECK_TOKEN}`, expect: 'credential_fault' },
  { name: 'a token in the query alone', headers: {}, path: '/a?b=c&access_token=x', expect: 'credential_fault' },
  { name: 'a token in the query, encoded', path: '/a?acce%73s_token=x', expect: 'credential_fault' },
  { name: 'a token in the query behind a semicolon', path: '/a?b=c;access_token=x', expect: 'credential_fault' },
  { name: 'a token in the query, its name encoded', path: '/a?%61ccess_toke%6E=x', expect: 'credential_fault' },
  { name: 'a token in the query, its name in capitals', path: '/a?ACCESS_token=x', expect: 'credential_fault' },
  { name: 'a query that is not one', path: '/a?%zz&access_tokens=x', expect: 'allowed' },
  { name: 'the word in the path', path: '/access_token=x', expect: 'allowed' },
  { name: 'an inactive token', ...inactive, expect: 'token_inactive' },
];

const ANONYMOUS: readonly CheckCase[] = [
  { name: 'no token where route and policy allow it', headers: {}, ...open, expect: 'anonymous' },
  {
    name: 'no token where profile and policy allow it',
    headers: {},
    profiles: { p: { anonymous: true } },
    rule: { profile: 'p', anonymous: true },
    expect: 'anonymous',
  },
  {
    name: 'no token where the route alone allows it',
    headers: {},
    ...demanding({ anonymous: 'true' }),
    expect: 'credential_missing',
  },
  {
    name: 'no token where the policy alone allows it',
    headers: {},
    rule: { anonymous: true },
    expect: 'credential_missing',
  },
  {
    name: 'no token where a profile forbids it',
    headers: {},
    ...open,
    profiles: { p: { anonymous: false } },
    rule: { profile: 'p', anonymous: true },
    expect: 'credential_missing',
  },
  { name: 'a good token where none is needed', ...open, expect: 'allowed' },
  { name: 'an inactive token where none is needed', ...open, ...inactive, expect: 'token_inactive' },
  { name: 'an empty header where none is needed', ...open, ...authorization(''), expect: 'credential_fault' },
  { name: 'another scheme where none is needed', ...open, ...authorization('Basic YTpi'), expect: 'credential_fault' },
  {
    name: 'a token in the query where none is needed',
    ...open,
    headers: {},
    path: '/?access_token=x',
    expect: 'credential_fault',
  },
];

const PROOFS: readonly CheckCase[] = [
  {
    name: 'a bound token, its certificate',
    claims: { cnf: { x5tS256: THUMBPRINT } },
    thumbprint: THUMBPRINT,
    expect: 'allowed',
  },
  {
    name: 'a bound token, another certificate',
    claims: { cnf: { x5tS256: THUMBPRINT } },
    thumbprint: THUMBPRINT.replace('b', 'c'),
    expect: 'token_unproven',
  },
  { name: 'a bound token, no certificate', claims: { cnf: { x5tS256: THUMBPRINT } }, expect: 'token_unproven' },
  {
    name: 'bound to a DPoP key',
    claims: { cnf: { jkt: THUMBPRINT } },
    thumbprint: THUMBPRINT,
    expect: 'token_unproven',
  },
  {
    name: 'bound to its certificate and to a DPoP key',
    claims: { cnf: { x5tS256: THUMBPRINT, jkt: THUMBPRINT } },
    thumbprint: THUMBPRINT,
    expect: 'token_unproven',
  },
  { name: 'bound to nothing that is known', claims: { cnf: {} }, thumbprint: THUMBPRINT, expect: 'token_unproven' },
  { name: 'not bound, with a certificate', thumbprint: THUMBPRINT, expect: 'allowed' },
];

const OTHER = 'https://billing.example';
const AUDIENCES: readonly CheckCase[] = [
  { name: 'the audience of the route', audiences: ['*'], ...demanding({ audience: AUDIENCE }), expect: 'allowed' },
  {
    name: 'the audience of a profile',
    audiences: ['*'],
    profiles: { p: { audience: AUDIENCE } },
    rule: { profile: 'p' },
    expect: 'allowed',
  },
  { name: 'no audience, the policy has any', audiences: ['*'], expect: 'misconfigured' },
  { name: 'no audience, the policy has two', audiences: [AUDIENCE, OTHER], expect: 'misconfigured' },
  { name: 'an audience that the policy does not have', ...demanding({ audience: OTHER }), expect: 'misconfigured' },
  {
    name: 'one audience of the route, another of the profile',
    audiences: [AUDIENCE, OTHER],
    ...demanding({ audience: AUDIENCE }),
    profiles: { p: { audience: OTHER } },
    rule: { profile: 'p' },
    expect: 'misconfigured',
  },
  {
    name: 'the same audience of both',
    ...demanding({ audience: AUDIENCE }),
    profiles: { p: { audience: AUDIENCE } },
    rule: { profile: 'p' },
    expect: 'allowed',
  },
  { name: 'no audience and no token', audiences: ['*'], headers: {}, ...open, expect: 'misconfigured' },
];

const strict = { profiles: { p: { scopesAll: ['admin'] } }, rule: { profile: 'p' } };
const DEMANDS: readonly CheckCase[] = [
  { name: 'all scopes', ...demanding({ scopes_all: 'read write' }), expect: 'allowed' },
  { name: 'a missing scope', ...demanding({ scopes_all: 'read admin' }), expect: 'scope_insufficient' },
  { name: 'a scope that only begins alike', ...demanding({ scopes_all: 'rea' }), expect: 'scope_insufficient' },
  { name: 'any scope', ...demanding({ scopes_any: 'admin write' }), expect: 'allowed' },
  { name: 'none of any scope', ...demanding({ scopes_any: 'admin root' }), expect: 'scope_insufficient' },
  {
    name: 'no scope at all',
    claims: { scope: undefined },
    ...demanding({ scopes_any: 'read' }),
    expect: 'scope_insufficient',
  },
  { name: 'a scope of the profile', ...strict, expect: 'scope_insufficient' },
  {
    name: 'a route does not take back what the profile demands',
    ...strict,
    ...demanding({ scopes_all: 'read' }),
    expect: 'scope_insufficient',
  },
  {
    name: 'a route does not get around the profile of the policy by another',
    profiles: { p: { scopesAll: ['admin'] }, q: { scopesAll: ['read'] } },
    rule: { profile: 'p' },
    ...demanding({ profile: 'q' }),
    expect: 'scope_insufficient',
  },
  {
    name: 'a profile by the route',
    profiles: { q: { scopesAll: ['admin'] } },
    ...demanding({ profile: 'q' }),
    expect: 'scope_insufficient',
  },
  { name: 'its issuer', ...demanding({ issuers: `https://x.example ${ISSUER}` }), expect: 'allowed' },
  { name: 'another issuer', ...demanding({ issuers: 'https://x.example' }), expect: 'token_not_meant' },
  { name: 'its use', ...demanding({ token_use: 'access_token' }), expect: 'allowed' },
  { name: 'another use', ...demanding({ token_use: 'refresh_token' }), expect: 'token_not_meant' },
  { name: 'its acr', claims: { acr: 'gold' }, ...demanding({ acr: 'gold silver' }), expect: 'allowed' },
  { name: 'another acr', claims: { acr: 'bronze' }, ...demanding({ acr: 'gold silver' }), expect: 'acr_insufficient' },
  { name: 'no acr', ...demanding({ acr: 'gold' }), expect: 'acr_insufficient' },
  { name: 'an unknown key', ...demanding({ scope: 'read' }), expect: 'misconfigured' },
  {
    name: 'an unknown key, and no token',
    headers: {},
    ...open,
    extensions: { ...open.extensions, __proto: '1' },
    expect: 'misconfigured',
  },
  { name: 'a key of JavaScript', ...demanding({ constructor: 'x' }), expect: 'misconfigured' },
  { name: 'an unknown profile', ...demanding({ profile: 'nowhere' }), expect: 'misconfigured' },
  { name: 'an unknown profile of the policy', rule: { profile: 'nowhere' }, expect: 'misconfigured' },
  ...[
    ['scopes_all', ''],
    ['scopes_all', 'a  b'],
    ['scopes_any', ' a'],
    ['audience', ''],
    ['audience', 'a b'],
    ['token_use', 'id_token'],
    ['anonymous', 'yes'],
    ['acr', ''],
    ['issuers', ' '],
  ].map(
    ([key = '', value = '']): CheckCase => ({
      name: `${key} "${value}"`,
      ...demanding({ [key]: value }),
      expect: 'misconfigured',
    }),
  ),
];

export const CHECK_CASES: readonly CheckCase[] = [...CREDENTIALS, ...ANONYMOUS, ...PROOFS, ...AUDIENCES, ...DEMANDS];
