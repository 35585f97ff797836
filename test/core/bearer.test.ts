import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CredentialPlace, findCredential, withoutCookie } from '../../src/core/bearer.js';

const HEADER: CredentialPlace = { kind: 'header', name: 'x-token' };
const COOKIE: CredentialPlace = { kind: 'cookie', name: 'session' };
type Headers = Readonly<Record<string, readonly string[]>>;

const ROWS: readonly (readonly [name: string, place: CredentialPlace, headers: Headers, expect: string])[] = [
  ['a header of its own', HEADER, { 'x-token': ['abc'] }, 'token abc'],
  [
    'a header of its own, and an Authorization for others',
    HEADER,
    { 'x-token': ['abc'], authorization: ['Basic x'] },
    'token abc',
  ],
  ['Authorization where another header is the place', HEADER, { authorization: ['Bearer abc'] }, 'none'],
  ['a scheme in a header of its own', HEADER, { 'x-token': ['Bearer abc'] }, 'fault token'],
  ['two of them', HEADER, { 'x-token': ['abc', 'abc'] }, 'fault request'],
  ['joined by a comma', HEADER, { 'x-token': ['abc,abc'] }, 'fault token'],
  ['an empty one', HEADER, { 'x-token': [''] }, 'fault token'],
  ['a cookie', COOKIE, { cookie: ['a=b; session=abc; c=d'] }, 'token abc'],
  ['a cookie with padding', COOKIE, { cookie: ['session=abc=='] }, 'token abc=='],
  ['a cookie in the second header', COOKIE, { cookie: ['a=b', 'session=abc'] }, 'token abc'],
  ['two cookies', COOKIE, { cookie: ['session=abc; session=abc'] }, 'fault request'],
  ['two cookies in two headers', COOKIE, { cookie: ['session=abc', 'session=def'] }, 'fault request'],
  ['another cookie', COOKIE, { cookie: ['sessions=abc; Session=abc'] }, 'none'],
  ['an empty cookie', COOKIE, { cookie: ['session='] }, 'fault token'],
  ['a quoted cookie', COOKIE, { cookie: ['session="abc"'] }, 'fault token'],
  ['a name without a value', COOKIE, { cookie: ['session'] }, 'none'],
];

describe('findCredential', () => {
  for (const [name, place, headers, expect] of ROWS) {
    it(`${name}: ${expect}`, () => {
      const found = findCredential({ headers: new Map(Object.entries(headers)), path: '/' }, place, 100);
      const what = found.kind === 'token' ? found.token : found.kind === 'fault' ? found.of : '';
      assert.equal(`${found.kind} ${what}`.trim(), expect);
    });
  }
});

describe('withoutCookie', () => {
  for (const [cookies, rest] of [
    [['session=abc'], undefined],
    [['a=b; session=abc;c=d'], 'a=b; c=d'],
    [['session=abc; session=def', 'e=f'], 'e=f'],
    [['a=b\u00e9; session=abc'], undefined],
    [['a=b'], 'a=b'],
  ] as const) {
    it(`${JSON.stringify(cookies)} -> ${rest}`, () => {
      assert.equal(withoutCookie(new Map([['cookie', cookies]]), 'session'), rest);
    });
  }
});
