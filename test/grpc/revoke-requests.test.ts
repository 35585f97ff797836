// What Revoke takes: each fault gets its documented status and reaches nothing, and what is good reaches core as meant.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { IntrospectdError } from '../../src/core/errors.js';
import type { Revoke } from '../../src/core/revoke.js';
import type { RevocationSelector, RevokeRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import {
  CURSOR,
  ISSUER,
  REVOKES_ALL,
  startTestServer,
  type TestClients,
  type TestServer,
} from '../support/start-server.js';
import { ask } from './ask.js';

const asked: string[] = [];
let failure: Error | undefined;

const revoke: Revoke = {
  token: async (token, caller) => {
    asked.push(token);
    if (failure) throw failure;
    return REVOKES_ALL.token(token, caller);
  },
  allOf: async (command, caller) => {
    asked.push(JSON.stringify(command));
    if (failure) throw failure;
    return REVOKES_ALL.allOf(command, caller);
  },
};

let server: TestServer;
let orders: TestClients;

before(async () => {
  server = await startTestServer({ revoke, limits: { tokenBytes: 16 } });
  orders = await server.connectAs('orders');
});
after(() => server.close());
beforeEach(() => {
  asked.length = 0;
  failure = undefined;
});

const LONG = 'x'.repeat(17);

describe('Revoke', () => {
  const request: RevokeRequest = { target: undefined, issuedBefore: undefined, reason: '', waitForCaches: false };
  const token = (value: string) => ({ $case: 'token' as const, value });
  const selector = (by: RevocationSelector['by'], iss = ISSUER) => ({ $case: 'selector' as const, value: { iss, by } });
  const jti = { $case: 'jti' as const, value: 'j1' };
  const allTokens = { $case: 'allTokens' as const, value: {} };
  const BEFORE_FAULT = ['REQUEST_INVALID', ['issued_before']] as const;
  const BAD_INSTANTS = [
    ['issued_before that nobody filled in', { seconds: 0n, nanos: 0 }],
    ['issued_before 1970', { seconds: -1n, nanos: 0 }],
    ['issued_before in the year 10000', { seconds: 253402300800n, nanos: 0 }],
    ['issued_before with negative nanos', { seconds: 1n, nanos: -1 }],
    ['issued_before with a second of nanos', { seconds: 1n, nanos: 1_000_000_000 }],
  ] as const;

  const CASES: readonly (readonly [
    name: string,
    request: Partial<RevokeRequest>,
    reason: string,
    fields?: readonly string[],
  ])[] = [
    ['no target', {}, 'REQUEST_INVALID', ['target']],
    ['an empty token', { target: token('') }, 'TOKEN_REQUIRED'],
    ['a malformed token', { target: token('a b') }, 'TOKEN_MALFORMED'],
    ['a token that is too long', { target: token(LONG) }, 'TOKEN_TOO_LONG'],
    [
      'issued_before with a token, and a long reason',
      { target: token('abc'), issuedBefore: { seconds: 1n, nanos: 0 }, reason: 'ü'.repeat(129) },
      'REQUEST_INVALID',
      ['reason', 'issued_before'],
    ],
    ['issued_before with a jti', { target: selector(jti), issuedBefore: { seconds: 1n, nanos: 0 } }, ...BEFORE_FAULT],
    ...BAD_INSTANTS.map(
      ([name, issuedBefore]) => [name, { target: selector(allTokens), issuedBefore }, ...BEFORE_FAULT] as const,
    ),
    ['a selector of nothing', { target: selector(undefined, '') }, 'REQUEST_INVALID', ['selector.by', 'selector.iss']],
    ['a selector of an empty jti', { target: selector({ ...jti, value: '' }) }, 'REQUEST_INVALID', ['selector.jti']],
    [
      'a selector of an empty user at a client',
      { target: selector({ $case: 'subjectClient', value: { sub: '', clientId: 'c' } }) },
      'REQUEST_INVALID',
      ['selector.subject_client.sub'],
    ],
    [
      'a selector of a user at a client that is empty, without issuer',
      { target: selector({ $case: 'subjectClient', value: { sub: 'u', clientId: '' } }, '') },
      'REQUEST_INVALID',
      ['selector.subject_client.client_id', 'selector.iss'],
    ],
    ['a selector without issuer', { target: selector(jti, '') }, 'REQUEST_INVALID', ['selector.iss']],
    ['a kind that the caller lacks', { target: selector({ $case: 'sub', value: 's' }) }, 'PERMISSION_MISSING'],
  ];
  for (const [name, partial, reason, fields = []] of CASES) {
    it(`${name}: ${reason}`, async () => {
      const answer = await ask(orders.introspection, 'revoke', { ...request, ...partial });
      assert.deepEqual([answer.details.reason, answer.details.fields], [reason, fields]);
      assert.deepEqual(asked, []);
    });
  }

  it('a caller with an empty revoke list: PERMISSION_MISSING', async () => {
    const { introspection } = await server.connectAs('nobody');
    const answer = await ask(introspection, 'revoke', { ...request, target: token('abc') });
    assert.deepEqual([answer.code, answer.details.reason], ['PERMISSION_DENIED', 'PERMISSION_MISSING']);
    assert.deepEqual(asked, []);
  });

  it('a token: its revision', async () => {
    const reason = 'ü'.repeat(128);
    const answer = await ask(orders.introspection, 'revoke', { ...request, target: token('abc'), reason });
    assert.deepEqual([answer.code, answer.response?.revision], ['OK', CURSOR]);
    assert.deepEqual(asked, ['abc']);
  });

  const SELECTED: readonly (readonly [by: RevocationSelector['by'], selector: Record<string, string>])[] = [
    [jti, { kind: 'jti', iss: ISSUER, value: 'j1' }],
    [
      { $case: 'grantId', value: 'g1' },
      { kind: 'grant', iss: ISSUER, value: 'g1' },
    ],
    [
      { $case: 'sid', value: 's1' },
      { kind: 'session', iss: ISSUER, value: 's1' },
    ],
    [
      { $case: 'clientId', value: 'c1' },
      { kind: 'client', iss: ISSUER, value: 'c1' },
    ],
    [
      { $case: 'sub', value: 'u1' },
      { kind: 'subject', iss: ISSUER, value: 'u1' },
    ],
    [
      { $case: 'subjectClient', value: { sub: 'u1', clientId: 'c1' } },
      { kind: 'subject_client', iss: ISSUER, sub: 'u1', clientId: 'c1' },
    ],
    [allTokens, { kind: 'issuer', iss: ISSUER }],
  ];
  for (const [by, expected] of SELECTED) {
    it(`all of a selector by ${by?.$case}: its revision`, async () => {
      const { introspection } = await server.connectAs('auditor');
      const answer = await ask(introspection, 'revoke', { ...request, target: selector(by) });
      assert.deepEqual([answer.code, answer.response?.revision], ['OK', CURSOR]);
      assert.deepEqual(asked, [JSON.stringify({ selector: expected })]);
    });
  }

  const INSTANTS: readonly (readonly [seconds: bigint, nanos: number, issuedBeforeMs: number])[] = [
    [1n, 0, 1000],
    [1n, 5_000_000, 1005],
    [1n, 5_000_001, 1006],
    [1n, 4_999_999, 1005],
    [0n, 1, 1],
    [253402300799n, 999_000_000, 253402300799999],
  ];
  for (const [seconds, nanos, issuedBeforeMs] of INSTANTS) {
    it(`issued_before ${seconds} s ${nanos} ns: before the millisecond ${issuedBeforeMs}`, async () => {
      const issuedBefore = { seconds, nanos };
      const answer = await ask(orders.introspection, 'revoke', {
        ...request,
        target: selector(allTokens),
        issuedBefore,
      });
      assert.equal(answer.code, 'OK');
      assert.deepEqual(
        asked.map((command) => JSON.parse(command).issuedBeforeMs),
        [issuedBeforeMs],
      );
    });
  }

  it('what core throws is told', async () => {
    failure = new IntrospectdError('UNKNOWN_TOKENS_EXHAUSTED', 'too many');
    const answer = await ask(orders.introspection, 'revoke', { ...request, target: token('abc') });
    assert.equal(answer.code, 'RESOURCE_EXHAUSTED');
    assert.equal(answer.details.retryMs, 60_000);
  });
});
