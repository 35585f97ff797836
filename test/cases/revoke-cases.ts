// What a revocation by something kills and what it leaves alone: tokens, and selectors over them.
import type { RevocationSelector } from '@introspectd/client';

export interface TokenOfRow {
  readonly name: string;
  /** Of the other issuer, where everything has the same names. */
  readonly isForeign?: true;
  readonly sub?: string;
  readonly clientId?: string;
  readonly jti?: string;
  readonly grantId?: string;
  readonly sid?: string;
}

/** Each differs from the first in more and more; values of different kinds read the same on purpose. */
export const TOKENS: readonly TokenOfRow[] = [
  { name: 'first', sub: 'alice', clientId: 'web', jti: '1', grantId: '1', sid: '1' },
  { name: 'refreshed', sub: 'alice', clientId: 'web', jti: '2', grantId: '1', sid: '1' },
  { name: 'same-session', sub: 'alice', clientId: 'web', jti: '3', grantId: '2', sid: '1' },
  { name: 'second-login', sub: 'alice', clientId: 'web', jti: '4', grantId: '3', sid: '2' },
  { name: 'other-client', sub: 'alice', clientId: 'app', jti: '5', grantId: '4', sid: '3' },
  { name: 'other-user', sub: 'bob', clientId: 'web', jti: '6', grantId: '5', sid: '4' },
  { name: 'other-both', sub: 'bob', clientId: 'app', jti: '7', grantId: '6', sid: '5' },
  { name: 'joined-alike', sub: 'alicew', clientId: 'eb', jti: '8', grantId: '7', sid: '6' },
  { name: 'named-alike', sub: 'web', clientId: 'alice', jti: 'alice', grantId: 'alice', sid: 'alice' },
  { name: 'machine', clientId: 'batch' },
  { name: 'bare' },
  { name: 'foreign', isForeign: true, sub: 'alice', clientId: 'web', jti: '1', grantId: '1', sid: '1' },
];

export interface RevokeCase {
  readonly by: Omit<RevocationSelector, 'iss'>;
  readonly kills: readonly string[];
}

const OF_ALICE_AT_WEB = ['first', 'refreshed', 'same-session', 'second-login'];

export const REVOKE_CASES: readonly RevokeCase[] = [
  { by: { jti: '1' }, kills: ['first'] },
  { by: { grant_id: '1' }, kills: ['first', 'refreshed'] },
  { by: { sid: '1' }, kills: ['first', 'refreshed', 'same-session'] },
  { by: { sub: 'alice', client_id: 'web' }, kills: OF_ALICE_AT_WEB },
  { by: { sub: 'alice' }, kills: [...OF_ALICE_AT_WEB, 'other-client'] },
  { by: { client_id: 'web' }, kills: [...OF_ALICE_AT_WEB, 'other-user'] },
  { by: { client_id: 'batch' }, kills: ['machine'] },
  { by: { all_tokens: true }, kills: TOKENS.filter(({ isForeign }) => !isForeign).map(({ name }) => name) },
  { by: { sub: 'alicewe', client_id: 'b' }, kills: [] },
  { by: { sub: 'nobody' }, kills: [] },
  { by: { jti: 'never-registered' }, kills: [] },
];
