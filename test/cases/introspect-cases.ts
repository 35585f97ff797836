// The rules as rows. Every door runs them: the pure judge, gRPC Introspect, gRPC BatchIntrospect.
import type { TokenUse } from '../../src/core/entry.js';
import type { InactiveReason } from '../../src/core/judge.js';

export const ISSUER = 'https://login.example';
export const FOREIGN_ISSUER = 'https://other.example';
export const AUDIENCE = 'https://orders.example';

/** The caller of every row: one issuer, one audience, access tokens, unless the row says otherwise. */
export interface CallerOfCase {
  readonly audiences?: readonly string[];
  readonly tokenUse?: readonly TokenUse[];
}

/** Seconds are relative to now. */
export interface TokenOfCase {
  readonly iss?: string;
  readonly aud?: readonly string[];
  readonly tokenUse?: TokenUse;
  readonly expInSeconds?: number;
  readonly nbfInSeconds?: number;
}

export interface IntrospectCase {
  readonly name: string;
  /** Undefined = never registered. */
  readonly token: TokenOfCase | undefined;
  readonly caller?: CallerOfCase;
  readonly audiences?: readonly string[];
  readonly revoked?: true;
  readonly expect: 'active' | InactiveReason;
}

export const INTROSPECT_CASES: readonly IntrospectCase[] = [
  { name: 'a good access token', token: {}, expect: 'active' },
  { name: 'never registered', token: undefined, expect: 'NOT_FOUND' },
  { name: 'revoked', token: {}, revoked: true, expect: 'REVOKED' },
  { name: 'revoked before it was registered', token: undefined, revoked: true, expect: 'NOT_FOUND' },
  { name: 'of an issuer that is not the caller’s', token: { iss: FOREIGN_ISSUER }, expect: 'NOT_FOUND' },
  { name: 'revoked, of a foreign issuer', token: { iss: FOREIGN_ISSUER }, revoked: true, expect: 'NOT_FOUND' },
  { name: 'not yet valid', token: { nbfInSeconds: 60 }, expect: 'NOT_YET_VALID' },
  { name: 'valid since nbf', token: { nbfInSeconds: -60 }, expect: 'active' },
  { name: 'a refresh token at a resource server', token: { tokenUse: 'refresh_token' }, expect: 'TOKEN_USE_MISMATCH' },
  {
    name: 'a refresh token where the policy lists it',
    token: { tokenUse: 'refresh_token' },
    caller: { tokenUse: ['refresh_token'] },
    expect: 'active',
  },
  {
    name: 'an access token where the policy lists refresh tokens alone',
    token: {},
    caller: { tokenUse: ['refresh_token'] },
    expect: 'TOKEN_USE_MISMATCH',
  },
  { name: 'for another audience', token: { aud: ['https://billing.example'] }, expect: 'AUDIENCE_MISMATCH' },
  { name: 'without audience', token: { aud: [] }, expect: 'AUDIENCE_MISMATCH' },
  { name: 'for the caller among others', token: { aud: ['https://billing.example', AUDIENCE] }, expect: 'active' },
  { name: 'an audience that only begins alike', token: { aud: [`${AUDIENCE}.evil`] }, expect: 'AUDIENCE_MISMATCH' },
  { name: 'asked for its audience', token: {}, audiences: [AUDIENCE], expect: 'active' },
  { name: 'asked for one of several', token: {}, audiences: ['https://x.example', AUDIENCE], expect: 'active' },
  { name: 'asked for another audience', token: {}, audiences: ['https://x.example'], expect: 'AUDIENCE_MISMATCH' },
  {
    name: 'asked for an audience of the token that is not the caller’s',
    token: { aud: ['https://billing.example', AUDIENCE] },
    audiences: ['https://billing.example'],
    expect: 'AUDIENCE_MISMATCH',
  },
  {
    name: 'any audience, where the policy says so',
    token: { aud: ['https://billing.example'] },
    caller: { audiences: ['*'] },
    expect: 'active',
  },
  {
    name: 'no audience, where the policy says any',
    token: { aud: [] },
    caller: { audiences: ['*'] },
    expect: 'active',
  },
  {
    name: 'any audience, but asked for one that the token lacks',
    token: {},
    caller: { audiences: ['*'] },
    audiences: ['https://billing.example'],
    expect: 'AUDIENCE_MISMATCH',
  },
  {
    name: 'a policy audience "*" is no literal match for a caller without it',
    token: { aud: ['*'] },
    expect: 'AUDIENCE_MISMATCH',
  },
];
