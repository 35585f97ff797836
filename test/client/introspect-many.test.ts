// Many tokens: order, items that fail alone, requests of 1,000 within one deadline.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IntrospectionError } from '@introspectd/client';
import type {
  BatchIntrospectRequest,
  IntrospectResult,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { batchBytes, MINIMAL_CLAIMS, MINIMAL_RESULT, response } from './support/messages.js';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.js';
import { errorInfo, retryInfo, rpcStatus } from './support/status-details.js';

type Outcome = IntrospectResult['outcome'];
const INACTIVE: Outcome = { $case: 'response', value: response({}) };
const active = (sub: string): Outcome => ({
  $case: 'response',
  value: response({ active: true, claims: { ...MINIMAL_CLAIMS, sub } }),
});

describe('introspectMany', () => {
  let server: ScriptedServer;
  let answer: (request: BatchIntrospectRequest) => readonly Outcome[] | Promise<readonly Outcome[]>;
  let sizes: number[];

  before(async () => {
    server = await startScriptedServer({
      batchIntrospect: async (call, reply) => {
        sizes.push(call.request.items.length);
        const outcomes = await answer(call.request);
        if (!call.cancelled) reply(null, batchBytes(outcomes));
      },
    });
  });
  after(() => server.stop());

  function introspectMany(tokens: readonly string[], timeoutMs = 5_000) {
    sizes = [];
    return server.connect().introspectMany(tokens, { audiences: ['https://orders.example'], timeoutMs });
  }

  it('keeps the order, and an item that fails fails alone', async () => {
    answer = ({ audiences }) => [
      active('1'),
      { $case: 'error', value: rpcStatus(3, 'a token is required', [errorInfo('TOKEN_REQUIRED')]) },
      INACTIVE,
      { $case: 'response', value: response({ active: true }) },
      { $case: 'error', value: rpcStatus(0, '', []) },
      undefined,
      active(audiences.join()),
    ];
    const outcomes = await introspectMany(['a', '', 'c', 'd', 'e', 'f', 'g']);
    const [first, required, inactive, malformed, ok, empty, last] = outcomes;
    assert.deepEqual(first, { ...MINIMAL_RESULT, sub: '1' });
    assert.deepEqual(inactive, { active: false });
    assert.deepEqual(last, { ...MINIMAL_RESULT, sub: 'https://orders.example' });
    assert.ok(required instanceof IntrospectionError);
    assert.deepEqual([required.code, required.reason], ['INVALID_ARGUMENT', 'TOKEN_REQUIRED']);
    for (const [outcome, code] of [
      [malformed, 'INTERNAL'],
      [ok, 'UNKNOWN'],
      [empty, 'INTERNAL'],
    ] as const) {
      assert.ok(outcome instanceof IntrospectionError);
      assert.equal(outcome.code, code);
    }
  });

  it('asks in requests of 1,000', async () => {
    answer = ({ items }) => items.map(({ token }) => active(token));
    const tokens = Array.from({ length: 2_001 }, (_, index) => `t${index}`);
    const outcomes = await introspectMany(tokens);
    assert.deepEqual(sizes, [1_000, 1_000, 1]);
    assert.deepEqual(
      outcomes,
      tokens.map((sub) => ({ ...MINIMAL_RESULT, sub })),
    );
  });

  it('has one deadline for all of them', async () => {
    answer = async ({ items }) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return items.map(() => INACTIVE);
    };
    const tokens = Array.from({ length: 4_000 }, () => 't');
    await assert.rejects(introspectMany(tokens, 400), { name: 'IntrospectionError', code: 'DEADLINE_EXCEEDED' });
    assert.ok(sizes.length < 4);
  });

  it('answers an empty list without a call', async () => {
    assert.deepEqual(await introspectMany([]), []);
    assert.deepEqual(sizes, []);
  });

  for (const count of [0, 1, 3]) {
    it(`rejects ${count} results for 2 tokens`, async () => {
      answer = () => Array.from({ length: count }, () => INACTIVE);
      await assert.rejects(introspectMany(['a', 'b']), { name: 'IntrospectionError', code: 'INTERNAL' });
    });
  }

  it('reads the details of an item', async () => {
    answer = () => [
      { $case: 'error', value: rpcStatus(8, 'busy', [errorInfo('OVERLOADED'), retryInfo(1, 500_000_000)]) },
    ];
    const [outcome] = await introspectMany(['a']);
    assert.ok(outcome instanceof IntrospectionError);
    const { code, reason, retryable, retryDelayMs } = outcome;
    assert.deepEqual([code, reason, retryable, retryDelayMs], ['RESOURCE_EXHAUSTED', 'OVERLOADED', true, 1_500]);
  });
});
