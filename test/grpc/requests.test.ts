// Bad input to Introspect and BatchIntrospect, and bytes that are no message: each gets its documented status, and nothing reaches core.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Client, status as Code, type ServiceError } from '@grpc/grpc-js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Introspect } from '../../src/core/introspect.js';
import { startTestServer, type TestClients, type TestServer } from '../support/start-server.js';
import { ask, readDetails, toDetails } from './ask.js';

const asked: string[] = [];
let failure: Error | undefined;

const introspect: Introspect = {
  one: async (_command, token) => {
    asked.push(token);
    if (failure) throw failure;
    return { active: false, reason: 'REVOKED' };
  },
  many: async (_command, items) => {
    asked.push(...items.map((item) => (item instanceof Error ? item.reason : item)));
    if (failure) throw failure;
    return items.map((item) => (item instanceof Error ? item : { active: false, reason: 'REVOKED' }));
  },
};
let server: TestServer;
let orders: TestClients;

before(async () => {
  server = await startTestServer({ introspect, limits: { batchTokens: 3, tokenBytes: 16 } });
  orders = await server.connectAs('orders');
});
after(() => server.close());
beforeEach(() => {
  asked.length = 0;
  failure = undefined;
});

const LONG = 'x'.repeat(17);
const BAD_TOKENS: readonly (readonly [token: string, reason: string])[] = [
  ['', 'TOKEN_REQUIRED'],
  [LONG, 'TOKEN_TOO_LONG'],
  ['a b', 'TOKEN_MALFORMED'],
  ['a\n', 'TOKEN_MALFORMED'],
  ['tökén', 'TOKEN_MALFORMED'],
  ['a=b', 'TOKEN_MALFORMED'],
];

const question = { tokenTypeHint: 'anything', audiences: [] as string[], includeTags: false };
const toItems = (tokens: readonly string[]) => tokens.map((token) => ({ token, tokenTypeHint: '' }));

describe('Introspect', () => {
  for (const [token, reason] of BAD_TOKENS) {
    it(`${JSON.stringify(token)}: ${reason}`, async () => {
      const answer = await ask(orders.introspection, 'introspect', { ...question, token });
      assert.deepEqual([answer.code, answer.details.reason], ['INVALID_ARGUMENT', reason]);
      assert.deepEqual(asked, []);
      assert.ok(token === '' || !answer.error?.details.includes(token));
    });
  }

  it('too many audiences: REQUEST_INVALID', async () => {
    const audiences = Array.from({ length: 101 }, (_, index) => `a${index}`);
    const answer = await ask(orders.introspection, 'introspect', { ...question, token: 'abc', audiences });
    assert.deepEqual([answer.details.reason, answer.details.fields], ['REQUEST_INVALID', ['audiences']]);
    assert.deepEqual(asked, []);
  });

  it('a store fault: UNAVAILABLE, never inactive', async () => {
    failure = new StoreUnavailable('gone');
    const answer = await ask(orders.introspection, 'introspect', { ...question, token: 'abc' });
    assert.deepEqual([answer.code, answer.details.reason], ['UNAVAILABLE', 'STORE_UNAVAILABLE']);
    assert.equal(answer.response, undefined);
  });

  it('the longest token allowed: asked', async () => {
    const token = 'x'.repeat(16);
    assert.equal((await ask(orders.introspection, 'introspect', { ...question, token })).code, 'OK');
    assert.deepEqual(asked, [token]);
  });

  it('gives back a request id of good form, and makes one otherwise', async () => {
    for (const [id, isKept] of [
      ['req-1.A_b', true],
      ['with space', false],
      ['x'.repeat(65), false],
    ] as const) {
      const metadata = { 'x-request-id': id };
      const good = await ask(orders.introspection, 'introspect', { ...question, token: 'abc' }, { metadata });
      const bad = await ask(orders.introspection, 'introspect', { ...question, token: '' }, { metadata });
      for (const { trailer } of [good, bad]) {
        const [given] = trailer.get('x-request-id');
        assert.equal(given === id, isKept);
        assert.match(String(given), /^[A-Za-z0-9._-]{1,64}$/);
      }
    }
  });
});

describe('BatchIntrospect', () => {
  const batch = (tokens: readonly string[]) => ({ items: toItems(tokens), audiences: [], includeTags: false });

  it('no items: BATCH_EMPTY; more than allowed: BATCH_TOO_LARGE', async () => {
    for (const [tokens, reason] of [
      [[], 'BATCH_EMPTY'],
      [['a', 'b', 'c', 'd'], 'BATCH_TOO_LARGE'],
    ] as const) {
      const answer = await ask(orders.introspection, 'batchIntrospect', batch(tokens));
      assert.deepEqual([answer.code, answer.details.reason], ['INVALID_ARGUMENT', reason]);
    }
    assert.deepEqual(asked, []);
  });

  for (const [token, reason] of BAD_TOKENS) {
    it(`${JSON.stringify(token)} among good ones: that item is ${reason}, the others are answered`, async () => {
      const { code, response } = await ask(orders.introspection, 'batchIntrospect', batch(['good', token, 'fine']));
      assert.equal(code, 'OK');
      const outcomes = response?.results.map(({ outcome }) => outcome) ?? [];
      assert.deepEqual(
        outcomes.map((outcome) => outcome?.$case),
        ['response', 'error', 'response'],
      );
      const status = outcomes[1]?.$case === 'error' ? outcomes[1].value : undefined;
      assert.equal(status?.code, Code.INVALID_ARGUMENT);
      assert.equal(toDetails(status?.details ?? []).reason, reason);
      assert.deepEqual(asked, ['good', reason, 'fine']);
    });
  }

  it('a store fault fails the call', async () => {
    failure = new StoreUnavailable('gone');
    const answer = await ask(orders.introspection, 'batchIntrospect', batch(['good', '']));
    assert.deepEqual([answer.code, answer.details.reason], ['UNAVAILABLE', 'STORE_UNAVAILABLE']);
  });
});

describe('bytes that are no message', () => {
  const METHODS = [
    '/introspectd.v1.IntrospectionService/Introspect',
    '/introspectd.v1.IntrospectionService/BatchIntrospect',
    '/introspectd.v1.IntrospectionService/Revoke',
    '/introspectd.v1.TokenRegistryService/RegisterTokens',
  ];
  const BYTES = {
    'a length beyond the end': [0x0a, 0x7f, 0x61],
    'a varint without end': [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    'text that is not UTF-8': [0x0a, 0x08, 0x0a, 0x06, 0x61, 0xff, 0xfe, 0xc3, 0x28, 0x80],
  };
  for (const method of METHODS) {
    for (const [name, bytes] of Object.entries(BYTES)) {
      it(`${name} to ${method}: REQUEST_INVALID`, async () => {
        const error = await sendBytes(orders.introspection, method, Buffer.from(bytes));
        assert.equal(error?.code, Code.INVALID_ARGUMENT, error?.details);
        assert.equal(readDetails(error?.metadata).reason, 'REQUEST_INVALID');
        assert.equal(error?.details, 'the request is not a message of this method');
      });
    }
  }

  it('a message over the limit: RESOURCE_EXHAUSTED', async () => {
    const error = await sendBytes(orders.introspection, METHODS[0] ?? '', Buffer.alloc(5 * 1024 * 1024));
    assert.equal(error?.code, Code.RESOURCE_EXHAUSTED);
    assert.deepEqual(asked, []);
  });

  it('an unknown method: UNIMPLEMENTED', async () => {
    const error = await sendBytes(orders.introspection, '/introspectd.v1.IntrospectionService/None', Buffer.alloc(0));
    assert.equal(error?.code, Code.UNIMPLEMENTED);
  });
});

describe('streams refuse', () => {
  for (const [caller, code, reason] of [
    ['nobody', Code.PERMISSION_DENIED, 'PERMISSION_MISSING'],
    ['stranger', Code.PERMISSION_DENIED, 'CALLER_UNKNOWN'],
  ] as const) {
    it(`${caller}: ${reason}`, async () => {
      const { introspection, registry } = await server.connectAs(caller);
      for (const stream of [introspection.streamIntrospect(), registry.importTokens()]) {
        stream.resume();
        const error = await new Promise<ServiceError>((resolve) => stream.once('error', resolve));
        assert.deepEqual([error.code, readDetails(error.metadata).reason], [code, reason]);
      }
    });
  }
});

function sendBytes(client: Client, method: string, bytes: Buffer): Promise<ServiceError | null> {
  const asIs = (value: Buffer) => value;
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(method, asIs, asIs, bytes, options, (error) => resolve(error));
  });
}
