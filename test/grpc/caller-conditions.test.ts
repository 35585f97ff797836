// From which networks and until when a caller is let in: the rule, and a connection of its own for each condition.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPolicy } from '../../src/core/policy.js';
import { checkConditions } from '../../src/grpc/caller-conditions.js';
import { AUDIENCE, ISSUER, startTestServer, TRUST_DOMAIN } from '../support/start-server.js';
import { ask } from './ask.js';

const NOT_MET = { reason: 'CONDITION_NOT_MET' };

const NETWORKS: readonly (readonly [network: string, address: string | undefined, isLetIn: boolean])[] = [
  ['10.0.0.0/8', '10.0.0.0', true],
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::FFFF:10.1.2.3', true],
  ['10.0.0.0/8', '::ffff:11.1.2.3', false],
  ['10.0.0.0/8', '::1', false],
  ['192.0.2.7/32', '192.0.2.7', true],
  ['192.0.2.7/32', '192.0.2.6', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '203.0.113.9', false],
  ['::/0', '::ffff:203.0.113.9', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['::1/128', '::1', true],
  ['0.0.0.0/0', undefined, false],
  ['0.0.0.0/0', '', false],
  ['0.0.0.0/0', 'localhost', false],
  ['::/0', '/run/socket', false],
];

describe('networks', () => {
  for (const [network, address, isLetIn] of NETWORKS) {
    it(`${address} is ${isLetIn ? '' : 'not '}let in from ${network}`, () => {
      const check = () => checkConditions({ networks: [network], notAfterMs: undefined }, address, 0);
      if (isLetIn) check();
      else assert.throws(check, NOT_MET);
    });
  }

  it('any of several is enough', () => {
    const conditions = { networks: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.0/24'], notAfterMs: undefined };
    for (const address of ['192.0.2.1', '10.0.0.1', '2001:db8::1']) checkConditions(conditions, address, 0);
  });
});

describe('not_after', () => {
  it('is the last instant, whatever the address', () => {
    const conditions = { networks: undefined, notAfterMs: 1000 };
    checkConditions(conditions, undefined, 1000);
    assert.throws(() => checkConditions(conditions, undefined, 1001), NOT_MET);
  });

  it('and the network must both be met', () => {
    const conditions = { networks: ['10.0.0.0/8'], notAfterMs: 1000 };
    checkConditions(conditions, '10.0.0.1', 1000);
    assert.throws(() => checkConditions(conditions, '10.0.0.1', 1001), NOT_MET);
    assert.throws(() => checkConditions(conditions, '11.0.0.1', 1000), NOT_MET);
  });
});

describe('a connection', () => {
  const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };
  const rule = {
    permissions: ['introspect'],
    revoke: [],
    issuers: [ISSUER],
    audiences: [AUDIENCE],
    tokenUse: undefined,
    claims: undefined,
  } as const;

  it('is held to the conditions at every call', async () => {
    const conditions = {
      here: { networks: ['127.0.0.0/8'], notAfterMs: undefined },
      elsewhere: { networks: ['10.0.0.0/8', '::/0'], notAfterMs: undefined },
      temporary: { networks: undefined, notAfterMs: Date.now() + 60_000 },
    };
    const policy = createPolicy(
      Object.entries(conditions).map(([name, condition]) => ({
        ...rule,
        name,
        identities: [`${TRUST_DOMAIN}/${name}`],
        conditions: condition,
      })),
    );
    await using server = await startTestServer({ policy: () => policy });
    const [here, elsewhere, temporary] = [
      (await server.connectAs('here')).introspection,
      (await server.connectAs('elsewhere')).introspection,
      (await server.connectAs('temporary')).introspection,
    ];
    for (let call = 0; call < 2; call++) {
      assert.equal((await ask(here, 'introspect', REQUEST)).code, 'OK');
      const refused = await ask(elsewhere, 'introspect', REQUEST);
      assert.deepEqual([refused.code, refused.details.reason], ['PERMISSION_DENIED', 'CONDITION_NOT_MET']);
    }
    assert.equal((await ask(temporary, 'introspect', REQUEST)).code, 'OK');
    // As if the minute had passed: the policy and the connection are the same.
    conditions.temporary.notAfterMs = Date.now() - 1;
    assert.equal((await ask(temporary, 'introspect', REQUEST)).details.reason, 'CONDITION_NOT_MET');
  });
});
