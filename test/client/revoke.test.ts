// What revoke() sends for a selector, and what it refuses to send.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { IntrospectionClient, RevocationSelector, RevokeOptions } from '@introspectd/client';
import type {
  RevokeRequest,
  RevocationSelector as WireSelector,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { revokeBytes } from './support/messages.js';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.js';

const iss = 'https://login.example';

describe('revoke by something', () => {
  let server: ScriptedServer;
  let client: IntrospectionClient;
  const sent: { readonly request: RevokeRequest; readonly remainingMs: number }[] = [];
  before(async () => {
    server = await startScriptedServer({
      revoke: (call, reply) => {
        sent.push({ request: call.request, remainingMs: Number(call.getDeadline()) - Date.now() });
        reply(null, revokeBytes('r-1'));
      },
    });
    client = server.connect();
  });
  after(() => server.stop());

  async function send(target: RevocationSelector, options: RevokeOptions = {}) {
    assert.deepEqual(await client.revoke(target, options), { revision: 'r-1' });
    const [call] = sent.splice(0);
    assert.ok(call);
    return call;
  }

  const SELECTORS: readonly (readonly [selector: RevocationSelector, by: WireSelector['by']])[] = [
    [
      { iss, jti: 'j' },
      { $case: 'jti', value: 'j' },
    ],
    [
      { iss, grant_id: 'g' },
      { $case: 'grantId', value: 'g' },
    ],
    [
      { iss, sid: 's' },
      { $case: 'sid', value: 's' },
    ],
    [
      { iss, client_id: 'c' },
      { $case: 'clientId', value: 'c' },
    ],
    [
      { iss, sub: 'u' },
      { $case: 'sub', value: 'u' },
    ],
    [
      { iss, sub: 'u', client_id: 'c' },
      { $case: 'subjectClient', value: { sub: 'u', clientId: 'c' } },
    ],
    [
      { iss, all_tokens: true, sub: undefined },
      { $case: 'allTokens', value: {} },
    ],
  ];
  for (const [selector, by] of SELECTORS) {
    it(JSON.stringify(selector), async () => {
      const { request } = await send(selector);
      const target = { $case: 'selector', value: { iss, by } };
      assert.deepEqual(request, { target, issuedBefore: undefined, reason: '', waitForCaches: false });
    });
  }

  const BAD: readonly unknown[] = [
    ...[undefined, null, 7, {}, { iss }, { sub: 'u' }, { iss: '', sub: 'u' }, { iss, sub: '' }, { iss, sub: 7 }],
    ...[
      { iss, jti: 'j', sub: 'u' },
      { iss, sub: 'u', client_id: '' },
      { iss, sub: 'u', all_tokens: true },
    ],
    ...[
      { iss, all_tokens: false },
      { iss, all_tokens: 'yes' },
      { iss, client_id: 'c', sid: 's' },
    ],
  ];
  for (const selector of BAD) {
    it(`nothing is sent for ${JSON.stringify(selector)}`, async () => {
      await assert.rejects(client.revoke(selector as RevocationSelector), { code: 'INVALID_ARGUMENT' });
      assert.equal(sent.length, 0);
    });
  }

  for (const [text, seconds, nanos] of [
    ['2027-01-01T00:00:00Z', 1798761600n, 0],
    ['2027-01-01T00:00:00.007Z', 1798761600n, 7_000_000],
    ['1970-01-01T00:00:00.001Z', 0n, 1_000_000],
  ] as const) {
    it(`issuedBefore ${text}`, async () => {
      const { request } = await send({ iss, sub: 'u' }, { issuedBefore: new Date(text) });
      assert.deepEqual(request.issuedBefore, { seconds, nanos });
    });
  }

  it('issuedBefore that is no instant is refused', async () => {
    const call = client.revoke({ iss, sub: 'u' }, { issuedBefore: new Date('soon') });
    await assert.rejects(call, { code: 'INVALID_ARGUMENT' });
    assert.equal(sent.length, 0);
  });

  it('waiting for caches has more time than other calls, unless it is given its own', async () => {
    const selector = { iss, sid: 's' };
    const plain = await send(selector);
    const waiting = await send(selector, { waitForCaches: true });
    const own = await send(selector, { waitForCaches: true, timeoutMs: 3000 });
    assert.deepEqual([plain.request.waitForCaches, waiting.request.waitForCaches], [false, true]);
    assert.ok(plain.remainingMs <= 5000 && own.remainingMs <= 3000);
    assert.ok(waiting.remainingMs > 5000 && waiting.remainingMs <= 35_000);
  });
});
