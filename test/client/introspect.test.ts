// One token: every claim under its JSON name, and every answer that breaks the contract is an error.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type IntrospectionClient, IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import { InactiveReason, type IntrospectRequest } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { TokenUse } from '@introspectd/client/gen/introspectd/v1/token_claims';
import {
  activeBytes,
  activeBytesWithRawExtra,
  introspectBytes,
  MINIMAL_CLAIMS,
  MINIMAL_RESULT,
} from './support/messages.js';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.js';

const TOKEN = 'mF_9.B5f-4.1JqM';

describe('introspect', () => {
  let server: ScriptedServer;
  let client: IntrospectionClient;
  let answer: Uint8Array;
  let requests: IntrospectRequest[] = [];

  before(async () => {
    server = await startScriptedServer({
      introspect: (call, reply) => {
        requests.push(call.request);
        reply(null, answer);
      },
    });
    client = server.connect();
  });
  after(() => server.stop());

  function introspect(bytes: Uint8Array): Promise<IntrospectionResult> {
    answer = bytes;
    return client.introspect(TOKEN);
  }

  it('asks for the token and the audiences, and for nothing else', async () => {
    requests = [];
    answer = activeBytes();
    await client.introspect(TOKEN, { audiences: ['https://orders.example', 'b'] });
    await client.introspect(TOKEN);
    const base = { token: TOKEN, tokenTypeHint: '', includeTags: false };
    assert.deepEqual(requests, [
      { ...base, audiences: ['https://orders.example', 'b'] },
      { ...base, audiences: [] },
    ]);
  });

  it('converts every claim', async () => {
    const bytes = activeBytes({
      scope: 'read write',
      clientId: 'web',
      username: 'jane',
      tokenType: 'DPoP',
      iat: 1_700_000_000n,
      nbf: 0n,
      sub: 'user-1',
      aud: ['https://orders.example', 'b'],
      jti: 'j-1',
      cnf: {
        x5tS256: 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2',
        jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
      },
      act: { sub: 'admin', act: { sub: 'root' } },
      authorizationDetails: [{ type: 'payment', amounts: [1, 2.5, null, true], nested: { a: 'b' } }],
      sid: 's-1',
      acr: 'urn:mace:incommon:iap:silver',
      authTime: 253_402_300_799n,
      tokenUse: TokenUse.REFRESH_TOKEN,
      grantId: 'g-1',
      extra: { tenant: 'acme', roles: ['a'], constructor: 'c', toString: 1 },
    });
    const result = await introspect(bytes);
    const expected = {
      ...MINIMAL_RESULT,
      scope: 'read write',
      client_id: 'web',
      username: 'jane',
      token_type: 'DPoP',
      iat: 1_700_000_000,
      nbf: 0,
      sub: 'user-1',
      aud: ['https://orders.example', 'b'],
      jti: 'j-1',
      cnf: {
        'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2',
        jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
      },
      act: { sub: 'admin', act: { sub: 'root' } },
      authorization_details: [{ type: 'payment', amounts: [1, 2.5, null, true], nested: { a: 'b' } }],
      sid: 's-1',
      acr: 'urn:mace:incommon:iap:silver',
      auth_time: 253_402_300_799,
      token_use: 'refresh_token',
      grant_id: 'g-1',
      tenant: 'acme',
      roles: ['a'],
      constructor: 'c',
      toString: 1,
    };
    assert.deepEqual(result, expected);
    assert.deepEqual(JSON.parse(JSON.stringify(result)), expected);
  });

  it('leaves out what is absent, and keeps what is empty', async () => {
    assert.deepEqual(await introspect(activeBytes()), MINIMAL_RESULT);
    assert.deepEqual(await introspect(activeBytes({ scope: '', sub: '' })), { ...MINIMAL_RESULT, scope: '', sub: '' });
  });

  it('lets nothing in extra take the name of a claim, not even of an absent one', async () => {
    const extra = {
      active: false,
      sub: 'admin',
      client_id: 'x',
      exp: 1,
      aud: ['*'],
      cnf: {},
      token_use: 'x',
      clientId: 'y',
    };
    assert.deepEqual(await introspect(activeBytes({ extra })), { ...MINIMAL_RESULT, clientId: 'y' });
  });

  it('makes plain objects of hostile keys', async () => {
    const polluted = { isAdmin: true, sub: 'admin' };
    const result = await introspect(
      activeBytesWithRawExtra([
        ['__proto__', polluted],
        ['constructor', { prototype: polluted }],
        ['list', [{ hasOwnProperty: 1 }]],
        ['then', 'not a promise'],
      ]),
    );
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
    assert.equal('isAdmin' in result, false);
    assert.equal('isAdmin' in {}, false);
    assert.deepEqual(result, {
      ...MINIMAL_RESULT,
      constructor: { prototype: polluted },
      list: [{ hasOwnProperty: 1 }],
      ...Object.fromEntries([['then', 'not a promise']]),
    });
  });

  it('says inactive, and why only where the server says so', async () => {
    assert.deepEqual(await introspect(introspectBytes({})), { active: false });
    assert.deepEqual(await introspect(introspectBytes({ cacheMs: 1000n })), { active: false });
    for (const [name, number] of Object.entries(InactiveReason)) {
      const expected = number > 0 ? { active: false, inactive_reason: name } : { active: false };
      assert.deepEqual(await introspect(introspectBytes({ inactiveReason: number })), expected);
    }
  });

  const { iss: _iss, ...withoutIss } = MINIMAL_CLAIMS;
  const { exp: _exp, ...withoutExp } = MINIMAL_CLAIMS;
  const MALFORMED: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ['bytes that are no message', Buffer.from('ffffffff', 'hex')],
    ['a truncated message', activeBytes().subarray(0, -1)],
    ['active without claims', introspectBytes({ active: true })],
    ['inactive with claims', introspectBytes({ active: false, claims: MINIMAL_CLAIMS })],
    ['active with an inactive_reason', introspectBytes({ active: true, claims: MINIMAL_CLAIMS, inactiveReason: 2 })],
    ['no iss', introspectBytes({ active: true, claims: withoutIss })],
    ['an empty iss', activeBytes({ iss: '' })],
    ['no exp', introspectBytes({ active: true, claims: withoutExp })],
    ['a negative time', activeBytes({ iat: -1n })],
    ['a time after the year 9999', activeBytes({ exp: 253_402_300_800n })],
    ['the largest int64', activeBytes({ nbf: 2n ** 63n - 1n })],
    ['the smallest int64', activeBytes({ authTime: -(2n ** 63n) })],
    ['a cnf without a known member', activeBytes({ cnf: {} })],
    ['an unspecified token_use', activeBytes({ tokenUse: TokenUse.UNSPECIFIED })],
    ['a token_use of the future', activeBytes({ tokenUse: 9 as TokenUse })],
  ];
  for (const [name, bytes] of MALFORMED) {
    it(`rejects ${name}`, async () => {
      await assert.rejects(introspect(bytes), (error) => {
        assert.ok(error instanceof IntrospectionError);
        assert.deepEqual([error.code, error.retryable, error.reason], ['INTERNAL', false, undefined]);
        return true;
      });
    });
  }
});
