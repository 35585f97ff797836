// The policy file: what it becomes, and that everything wrong with it is told at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultsError } from '../../src/config/faults.js';
import { parsePolicyFile } from '../../src/config/policy-file.js';
import { createPolicy } from '../../src/core/policy.js';

const GOOD = {
  identities: '["spiffe://a/b"]',
  permissions: '[introspect]',
  issuers: '["https://i"]',
  audiences: '["https://a"]',
};

/** A policy of one caller, with these keys in place of good ones; an empty text leaves the key out. */
function policyWith(keys: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ name: 'a', ...GOOD, ...keys }).filter(([, value]) => value !== '');
  return `version: 1\ncallers:\n  - ${lines.map(([key, value]) => `${key}: ${value}`).join('\n    ')}\n`;
}

function faultsOf(text: string): Map<string, string> {
  try {
    parsePolicyFile(text, 'policy.yaml');
  } catch (error) {
    if (!(error instanceof FaultsError)) throw error;
    return new Map(error.faults.map(({ path, problem }) => [path, problem]));
  }
  return new Map();
}

test('the example of the design', () => {
  const rules = parsePolicyFile(
    `
version: 1
callers:
  - name: orders-api
    identities: ["spiffe://mesh.example/ns/shop/sa/orders", "dns:orders.shop.svc"]
    permissions: [introspect, batch, stream, watch, register, check, explain]
    revoke: [token, jti, grant, session, subject, subject_client, client, issuer]
    issuers: ["https://login.example"]
    audiences: ["https://orders.example"]
    token_use: [access_token]
    claims: [scope, client_id, sub, iat, jti, acr, auth_time]
    rate: { per_second: 5000, burst: 10000 }
    revoke_rate: { per_second: 2000, burst: 4000 }
    unknown_revoke_rate: { per_second: 10, burst: 100 }
    check_rate: { per_second: 20000, burst: 40000 }
    check_profile: shop
    check_anonymous: false
    conditions: { networks: ["10.0.0.0/8", "2001:db8::/32"], not_after: "2027-01-01T00:00:00Z" }
`,
    'policy.yaml',
    ['shop'],
  );
  assert.deepEqual(rules, [
    {
      name: 'orders-api',
      identities: ['spiffe://mesh.example/ns/shop/sa/orders', 'dns:orders.shop.svc'],
      permissions: ['introspect', 'batch', 'stream', 'watch', 'register', 'check', 'explain'],
      revoke: ['token', 'jti', 'grant', 'session', 'subject', 'subject_client', 'client', 'issuer'],
      issuers: ['https://login.example'],
      audiences: ['https://orders.example'],
      tokenUse: ['access_token'],
      claims: ['scope', 'client_id', 'sub', 'iat', 'jti', 'acr', 'auth_time'],
      rates: {
        tokens: { perSecond: 5000, burst: 10_000 },
        revoke: { perSecond: 2000, burst: 4000 },
        unknownRevoke: { perSecond: 10, burst: 100 },
        check: { perSecond: 20_000, burst: 40_000 },
      },
      check: { profile: 'shop', anonymous: false },
      conditions: { networks: ['10.0.0.0/8', '2001:db8::/32'], notAfterMs: 1_798_761_600_000 },
    },
  ]);
  assert.equal(createPolicy(rules).getCaller(['dns:orders.shop.svc']).name, 'orders-api');
});

test('a caller may do no more than its entry says', () => {
  const [rule] = parsePolicyFile(policyWith({ permissions: '[]' }), 'policy.yaml');
  assert.deepEqual(rule?.permissions, []);
  assert.deepEqual(rule?.revoke, []);
  assert.equal(rule?.claims, undefined);
  assert.equal(rule?.tokenUse, undefined);
});

test('nobody is let in by an empty list of callers', () => {
  assert.deepEqual(parsePolicyFile('version: 1\ncallers: []', 'policy.yaml'), []);
});

const GOOD_IDENTITIES = [
  'spiffe://mesh.example/a',
  'spiffe://127.0.0.1/a-b_c.d/E',
  'spiffe://m/.../..a',
  'dns:localhost',
  'dns:_grpc.orders-1.shop.svc.cluster.local',
];
const BAD_IDENTITIES = [
  '',
  '*',
  'orders',
  'spiffe://mesh.example',
  'spiffe://mesh.example/',
  'spiffe:///a',
  'spiffe://Mesh.example/a',
  'spiffe://mesh.example:1/a',
  'spiffe://u@mesh.example/a',
  'spiffe://mesh.example/a/',
  'spiffe://mesh.example/a//b',
  'spiffe://mesh.example/./a',
  'spiffe://mesh.example/..',
  'spiffe://mesh.example/*',
  'spiffe://mesh.example/a?b',
  'spiffe://mesh.example/a%20b',
  'spiffe://mesh.example/a, URI:spiffe://x/y',
  '"spiffe://mesh.example/a"',
  'spiffe://mesh.example/a\n',
  `spiffe://mesh.example/${'a'.repeat(2048)}`,
  'https://mesh.example/a',
  'dns:',
  'dns:*.shop.svc',
  'dns:Orders.svc',
  'dns:orders.svc.',
  'dns:orders..svc',
  'dns:-a.svc',
  'dns:a b',
  `dns:${'a.'.repeat(127)}aa`,
  'DNS:orders',
];

test('identities are exact', async (t) => {
  for (const identity of GOOD_IDENTITIES) {
    await t.test(identity, () => {
      assert.deepEqual([...faultsOf(policyWith({ identities: JSON.stringify([identity]) })).keys()], []);
    });
  }
  for (const identity of BAD_IDENTITIES) {
    await t.test(`not ${JSON.stringify(identity)}`, () => {
      const faults = faultsOf(policyWith({ identities: JSON.stringify(['spiffe://a/b', identity]) }));
      assert.deepEqual([...faults.keys()], ['callers[0].identities[1]']);
    });
  }
});

const BAD_KEYS: readonly (readonly [key: string, value: string, path: string, problem: RegExp])[] = [
  ['name', '', 'name', /required/],
  ['name', '"A b"', 'name', /must be 1 to 64/],
  ['identities', '', 'identities', /required/],
  ['identities', '[]', 'identities', /must not be empty/],
  ['identities', '"spiffe://a/b"', 'identities', /must be/],
  ['identities', '[1]', 'identities[0]', /must be text/],
  ['permissions', '', 'permissions', /required/],
  ['permissions', '[introspct]', 'permissions[0]', /must be one of introspect/],
  ['permissions', 'introspect', 'permissions', /must be/],
  ['revoke', '[tokens]', 'revoke[0]', /must be one of token/],
  ['revoke', 'token', 'revoke', /must be a list/],
  ['issuers', '', 'issuers', /required/],
  ['issuers', '[]', 'issuers', /must not be empty/],
  ['issuers', '["*"]', 'issuers[0]', /no wildcard/],
  ['issuers', '[""]', 'issuers[0]', /must not be empty/],
  ['audiences', '', 'audiences', /required/],
  ['audiences', '[]', 'audiences', /must not be empty/],
  ['audiences', '["*", x]', 'audiences', /stands alone/],
  ['token_use', '[id_token]', 'token_use[0]', /must be one of access_token/],
  ['token_use', '[]', 'token_use', /must not be empty/],
  ['claims', '[email]', 'claims[0]', /must be one of scope/],
  ['permisions', '[]', 'permisions', /did you mean permissions\?/],
  ['rates', '1', 'rates', /unknown key/],
  ['check_rate', '{ per_second: 1, burst: 1 }', 'check_rate', /goes with permission "check"/],
  ['check_anonymous', 'true', 'check_anonymous', /goes with permission "check"/],
  ...['rate', 'revoke_rate', 'unknown_revoke_rate'].flatMap((key) =>
    (
      [
        ['5', '', /must be a map/],
        ['{ burst: 1 }', '.per_second', /required/],
        ['{ per_second: 1 }', '.burst', /required/],
        ['{ per_second: 0, burst: 1 }', '.per_second', /at least 1/],
        ['{ per_second: 0.5, burst: 1 }', '.per_second', /whole number/],
        ['{ per_second: 1, burst: 1e99 }', '.burst', /whole number|at most/],
        ['{ per_second: "1", burst: 1 }', '.per_second', /whole number/],
        ['{ per_second: 1, burst: 1, bursts: 1 }', '.bursts', /did you mean burst\?/],
      ] as const
    ).map(([value, path, problem]) => [key, value, `${key}${path}`, problem] as const),
  ),
  ['conditions', '{}', 'conditions', /must hold networks or not_after/],
  ['conditions', '5', 'conditions', /must be a map/],
  [
    'conditions',
    '{ network: ["10.0.0.0/8"], not_after: "2027-01-01T00:00:00Z" }',
    'conditions.network',
    /did you mean networks\?/,
  ],
  ['conditions', '{ networks: [] }', 'conditions.networks', /must not be empty/],
  ['conditions', '{ networks: "10.0.0.0/8" }', 'conditions.networks', /must be/],
  ...[
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/08',
    '::/129',
    '::ffff:10.0.0.0/104',
    'fe80::%eth0/64',
    'any',
  ].map(
    (network) =>
      ['conditions', `{ networks: ["${network}"] }`, 'conditions.networks[0]', /must be an IPv4 or IPv6/] as const,
  ),
  ...['2027-01-01', '2027-01-01T00:00:00', '2027-01-01T00:00:00+01:00', '2027-02-30T00:00:00Z', 'tomorrow'].map(
    (instant) =>
      ['conditions', `{ not_after: "${instant}" }`, 'conditions.not_after', /must be an instant in UTC/] as const,
  ),
];

test('a bad key is one fault, with its path', async (t) => {
  for (const [key, value, path, problem] of BAD_KEYS) {
    await t.test(`${key}: ${value}`, () => {
      const faults = faultsOf(policyWith({ [key]: value }));
      assert.deepEqual([...faults.keys()], [`callers[0].${path}`]);
      assert.match([...faults.values()].join(), problem);
    });
  }
});

test('all faults are told at once, each with its path and its line', () => {
  const text = `version: 2
callers:
  - 5
  - name: a
    identities: ["spiffe://a/b"]
    permissions: [introspect]
    issuers: [i]
    audiences: [a]
    check_rate: 5
  - name: a
    identities: ["spiffe://c/d", "spiffe://a/b"]
    permissions: [introspect, all]
    issuers: [i]
    audiences: []
    claims: [scope, emial]
cllers: []
`;
  assert.deepEqual([...faultsOf(text).keys()].sort(), [
    'callers[0]',
    'callers[1].check_rate',
    'callers[2].audiences',
    'callers[2].claims[1]',
    'callers[2].identities[1]',
    'callers[2].name',
    'callers[2].permissions[1]',
    'cllers',
    'version',
  ]);
  assert.throws(() => parsePolicyFile(text, 'policy.yaml'), /callers\[2\]\.claims\[1\] \(line 15\): must be one of/);
});

test('one identity cannot name two callers, nor stand twice', () => {
  const twice = policyWith({ identities: '["spiffe://a/b", "spiffe://a/b"]' });
  assert.deepEqual([...faultsOf(twice).keys()], ['callers[0].identities[1]']);
});

test('a file that is no policy', async (t) => {
  for (const [text, path] of [
    ['', 'version'],
    ['version: 1', 'callers'],
    ['version: 1\ncallers: {}', 'callers'],
    ['version: 1\ncallers: null', 'callers'],
    ['version: 1\ncallers: []\nversion: 1', ''],
  ] as const) {
    await t.test(JSON.stringify(text), () => assert.ok(faultsOf(text).has(path)));
  }
});
