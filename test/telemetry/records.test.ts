// What the log says of calls: fields of a list and no others, and never a token, whatever way it came in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IntrospectdError, StoreUnavailable } from '../../src/core/errors.js';
import type { Introspect } from '../../src/core/introspect.js';
import { TokenClaims } from '../../src/gen/introspectd/v1/token_claims.js';
import { ask } from '../grpc/ask.js';
import { until } from '../grpc/until.js';
import {
  CURSOR,
  INACTIVE_TO_ALL,
  ISSUER,
  REGISTERS_ALL,
  REVOKES_ALL,
  startTestServer,
  type TestServer,
} from '../support/start-server.js';

const BASE = ['level', 'time', 'service', 'msg', 'request_id'];
const CALL_FIELDS = new Set([
  ...BASE,
  ...['caller', 'method', 'code', 'duration_ms', 'count', 'token', 'reason', 'detail', 'error', 'error_code'],
]);
const AUDIT_FIELDS = new Set([
  ...BASE,
  ...['action', 'outcome', 'code', 'caller', 'kind', 'iss', 'value', 'before_ms', 'reason', 'revision'],
  ...['issued_before_ms', 'waits_for_caches', 'count', 'refused'],
]);

const CANARY = 'canary-1f2e3d4c5b6a';
const introspection = (token: string) => ({ token, tokenTypeHint: token, audiences: [token], includeTags: false });
const revocation = (token: string, reason = '') => ({
  target: { $case: 'token' as const, value: token },
  issuedBefore: undefined,
  reason,
  waitForCaches: false,
});
const registration = (token: string, claims: Partial<TokenClaims>) => ({
  credential: { $case: 'token' as const, value: token },
  claims: { ...TokenClaims.decode(new Uint8Array(0)), ...claims },
  issuedAtMs: undefined,
});
const GOOD = { iss: ISSUER, exp: 2_000_000_000n, iat: 1_000_000_000n, tokenUse: 1 as const };

const find = (server: TestServer, msg: string) => server.records().filter((record) => record.msg === msg);

async function audited(server: TestServer, count: number) {
  await until(() => find(server, 'audit').length >= count);
  return find(server, 'audit');
}

describe('records', () => {
  it('have the fields of the list, and no token from any call', async () => {
    let failure: unknown;
    const failing = async () => {
      if (failure) throw failure;
    };
    await using server = await startTestServer({
      introspect: {
        one: (command, token) => failing().then(() => INACTIVE_TO_ALL.one(command, token)),
        many: (command, items) => failing().then(() => INACTIVE_TO_ALL.many(command, items)),
      },
      revoke: {
        token: (...args) => failing().then(() => REVOKES_ALL.token(...args)),
        allOf: (...args) => failing().then(() => REVOKES_ALL.allOf(...args)),
      },
      register: { ...REGISTERS_ALL, many: (caller, items) => failing().then(() => REGISTERS_ALL.many(caller, items)) },
    });
    let calls = 0;
    for (const thrown of [
      undefined,
      new Error(CANARY),
      new StoreUnavailable('socket closed', { cause: new Error(CANARY) }),
      new IntrospectdError('TOKEN_REVOKED', 'fixed'),
    ]) {
      failure = thrown;
      for (const name of ['orders', 'auditor', 'nobody', 'stranger']) {
        const client = await server.connectAs(name);
        for (const token of [CANARY, `${CANARY} `, CANARY.repeat(400)]) {
          await ask(client.introspection, 'introspect', introspection(token));
          await ask(client.introspection, 'batchIntrospect', {
            items: [{ token, tokenTypeHint: token }],
            audiences: [token],
            includeTags: true,
          });
          await ask(client.introspection, 'revoke', revocation(token, `because of ${token}`));
          await ask(client.registry, 'registerTokens', {
            entries: [
              registration(token, { ...GOOD, jti: CANARY, sub: CANARY }),
              registration(token, { scope: CANARY }),
            ],
          });
          calls += 4;
        }
      }
    }
    await until(() => find(server, 'call').length === calls);
    assert.equal(find(server, 'audit').length, calls / 2, 'one for each Revoke and RegisterTokens');
    for (const record of server.records()) {
      const fields = record.msg === 'call' ? CALL_FIELDS : AUDIT_FIELDS;
      assert.deepEqual(
        Object.keys(record).filter((key) => !fields.has(key)),
        [],
      );
    }
    assert.ok(!server.raw().includes(CANARY.slice(0, 12)));
  });

  it('of a call: who, what, how long, and how it ended', async () => {
    await using server = await startTestServer();
    const { introspection: client } = await server.connectAs('orders');
    const metadata = { 'x-request-id': 'req-7' };
    await ask(client, 'introspect', introspection('abc'), { metadata });
    const items = [
      { token: 'a', tokenTypeHint: '' },
      { token: 'b', tokenTypeHint: '' },
    ];
    await ask(client, 'batchIntrospect', { items, audiences: [], includeTags: false });
    await ask(client, 'introspect', introspection(''));
    await until(() => find(server, 'call').length === 3);
    const [one, many, bad] = find(server, 'call').map(({ time, duration_ms: durationMs, ...rest }) => {
      assert.equal(typeof durationMs, 'number');
      assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
      return rest;
    });
    const common = { service: 'introspectd', msg: 'call', caller: 'orders' };
    const introspect = { ...common, method: 'Introspect' };
    assert.deepEqual(one, { ...introspect, level: 'debug', code: 'OK', token: 'digest-of-3', request_id: 'req-7' });
    const { request_id: id, ...rest } = many ?? {};
    assert.deepEqual(rest, { ...common, level: 'debug', method: 'BatchIntrospect', code: 'OK', count: 2 });
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.equal(bad?.level, 'info');
    assert.equal(bad?.reason, 'TOKEN_REQUIRED');
  });

  it('of a store fault: at warn, with its detail', async () => {
    const introspect: Introspect = { ...INACTIVE_TO_ALL, one: () => Promise.reject(new StoreUnavailable('no route')) };
    await using server = await startTestServer({ introspect, logLevel: 'warn' });
    const { introspection: client } = await server.connectAs('orders');
    await ask(client, 'introspect', introspection('abc'));
    await until(() => find(server, 'call').length === 1);
    const [record] = find(server, 'call');
    assert.deepEqual([record?.level, record?.code, record?.detail], ['warn', 'UNAVAILABLE', 'no route']);
  });

  it('of calls that went well cost nothing unless debug is on', async () => {
    await using server = await startTestServer({ logLevel: 'info' });
    const { introspection: client } = await server.connectAs('orders');
    const good = await ask(client, 'introspect', introspection('abc'));
    const bad = await ask(client, 'introspect', introspection(''));
    await until(() => find(server, 'call').length === 1);
    const [record] = find(server, 'call');
    assert.equal(record?.code, 'INVALID_ARGUMENT');
    // An id that stands nowhere is not made; one that stands in a record is told.
    assert.deepEqual(good.trailer.get('x-request-id'), []);
    assert.deepEqual(bad.trailer.get('x-request-id'), [record?.request_id]);
    const revoked = await ask(client, 'revoke', revocation('abc', ''));
    const [audit] = await audited(server, 1);
    assert.deepEqual(revoked.trailer.get('x-request-id'), [audit?.request_id]);
  });
});

describe('audit', () => {
  it('of a revocation, also at log level error', async () => {
    await using server = await startTestServer({ logLevel: 'error' });
    const { introspection: client } = await server.connectAs('orders');
    const metadata = { 'x-request-id': 'req-9' };
    await ask(client, 'revoke', revocation('abc', 'lost\nphone \u202eabc'), { metadata });
    const [record] = await audited(server, 1);
    const { time, ...rest } = record ?? {};
    assert.ok(time);
    assert.deepEqual(rest, {
      level: 'info',
      service: 'introspectd',
      msg: 'audit',
      action: 'revoke',
      outcome: 'accepted',
      code: 'OK',
      caller: 'orders',
      kind: 'token',
      iss: ISSUER,
      value: 'digest-of-3',
      before_ms: 253402300799999,
      reason: 'lost\\u{a}phone \\u{202e}(token)',
      revision: CURSOR,
      request_id: 'req-9',
    });
  });

  it('of what was refused, and of what nobody can know', async () => {
    await using server = await startTestServer({
      revoke: { ...REVOKES_ALL, token: () => Promise.reject(new StoreUnavailable('gone')) },
    });
    const [orders, nobody, stranger] = await Promise.all(['orders', 'nobody', 'stranger'].map(server.connectAs));
    assert.ok(orders && nobody && stranger);
    const by = { $case: 'sub' as const, value: 'al' };
    const selector = { $case: 'selector' as const, value: { iss: ISSUER, by } };
    await ask(nobody.introspection, 'revoke', revocation('abc'));
    await ask(stranger.introspection, 'revoke', revocation('abc'));
    await ask(orders.introspection, 'revoke', { ...revocation(''), target: selector });
    await ask(orders.introspection, 'revoke', revocation('abc'));
    const records = await audited(server, 4);
    assert.deepEqual(
      records.map(({ caller, outcome, code, kind, iss, value }) => [caller, outcome, code, kind, iss, value]),
      [
        ['nobody', 'refused', 'PERMISSION_DENIED', undefined, undefined, undefined],
        [undefined, 'refused', 'PERMISSION_DENIED', undefined, undefined, undefined],
        ['orders', 'refused', 'PERMISSION_DENIED', 'subject', ISSUER, 'digest-of-2'],
        ['orders', 'unknown', 'UNAVAILABLE', 'token', undefined, 'digest-of-3'],
      ],
    );
  });

  it('of a revocation by selector: what, whose, until when, and no name of a user', async () => {
    const revoked = { revision: CURSOR, leasesEndInMs: 50, iss: ISSUER, beforeMs: 4999 };
    await using server = await startTestServer({ revoke: { ...REVOKES_ALL, allOf: async () => revoked } });
    const { introspection: client } = await server.connectAs('auditor');
    const by = { $case: 'subjectClient' as const, value: { sub: 'canary-user', clientId: 'canary-client' } };
    await ask(client, 'revoke', {
      target: { $case: 'selector', value: { iss: ISSUER, by } },
      issuedBefore: { seconds: 5n, nanos: 0 },
      reason: 'left\u2028us',
      waitForCaches: true,
    });
    const [record] = await audited(server, 1);
    const { time: _, request_id: __, ...rest } = record ?? {};
    assert.deepEqual(rest, {
      level: 'info',
      service: 'introspectd',
      msg: 'audit',
      action: 'revoke',
      outcome: 'accepted',
      code: 'OK',
      caller: 'auditor',
      kind: 'subject_client',
      iss: ISSUER,
      value: `digest-of-${'11:canary-usercanary-client'.length}`,
      issued_before_ms: 5000,
      before_ms: 4999,
      reason: 'left\\u{2028}us',
      revision: CURSOR,
      waits_for_caches: true,
    });
    assert.doesNotMatch(server.raw(), /canary/);
  });

  it('of a registration: how many, how many refused, whose', async () => {
    await using server = await startTestServer();
    const { registry } = await server.connectAs('orders');
    const foreign = { ...GOOD, iss: 'https://x.test\n' };
    await ask(registry, 'registerTokens', {
      entries: [registration('a', GOOD), registration('b', { ...GOOD, exp: undefined })],
    });
    await ask(registry, 'registerTokens', { entries: [registration('a', foreign)] });
    await ask(registry, 'registerTokens', { entries: [] });
    const records = await audited(server, 3);
    assert.deepEqual(
      records.map(({ action, outcome, iss, count, refused }) => [action, outcome, iss, count, refused]),
      [
        ['register', 'accepted', ISSUER, 2, 1],
        ['register', 'accepted', undefined, 1, 0],
        ['register', 'refused', undefined, 0, undefined],
      ],
    );
  });
});
