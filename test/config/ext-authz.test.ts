// The section ext_authz, and what a policy says of Checks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultsError } from '../../src/config/faults.js';
import { parsePolicyFile } from '../../src/config/policy-file.js';
import type { Profile } from '../../src/core/demands.js';
import { createPolicy } from '../../src/core/policy.js';
import { faultsOf, load, TLS } from './support/load-sources.js';

const withExtAuthz = (section: string) => ({ text: `${TLS}ext_authz: ${section}\n` });

test('a profile is read whole', () => {
  const profile =
    '{ audience: a, scopes_all: [s], scopes_any: [t, u], issuers: [i], token_use: [access_token], acr: [gold], anonymous: false }';
  const { config } = load(withExtAuthz(`{ profiles: { shop: ${profile}, open: { anonymous: true } } }`));
  const { shop, open } = config.extAuthz.profiles as Readonly<Record<'shop' | 'open', Profile>>;
  assert.deepEqual(shop, {
    audience: 'a',
    scopesAll: ['s'],
    scopesAny: ['t', 'u'],
    issuers: ['i'],
    tokenUse: ['access_token'],
    acr: ['gold'],
    anonymous: false,
  });
  assert.equal(open.anonymous, true);
});

const PLACES: readonly (readonly [section: string, place: object])[] = [
  ['{}', { kind: 'bearer' }],
  ['{ header: authorization }', { kind: 'bearer' }],
  ['{ header: x-token }', { kind: 'header', name: 'x-token' }],
  ['{ cookie: session }', { kind: 'cookie', name: 'session' }],
];
for (const [section, place] of PLACES) {
  test(`credential: ${section}`, () => {
    assert.deepEqual(load(withExtAuthz(`{ credential: ${section} }`)).config.extAuthz.place, place);
  });
}

const BAD: readonly (readonly [section: string, path: string, problem: RegExp])[] = [
  ['{ on_doubt: allow }', 'on_doubt', /must be deny or envoy/],
  ["{ realm: 'a\"b' }", 'realm', /visible ASCII/],
  ['{ credential: { header: x-token, cookie: c } }', 'credential', /exclude each other/],
  ['{ credential: { header: X_Token } }', 'credential.header', /must be the name of a header/],
  ['{ credential: { cookie: "a b" } }', 'credential.cookie', /must be the name of a cookie/],
  ['{ headers: { sub: authorization } }', 'headers.sub', /another header/],
  ['{ headers: { sub: x-a, iss: x-a } }', 'headers.iss', /another header/],
  ['{ headers: { sub: x-token }, credential: { header: x-token } }', 'headers.sub', /another header/],
  ['{ headers: { sub: ":path" } }', 'headers.sub', /must be the name of a header/],
  ['{ profiles: { shop: { scope_all: [s] } } }', 'profiles.shop.scope_all', /unknown key/],
  ['{ profiles: { shop: { scopes_all: [] } } }', 'profiles.shop.scopes_all', /must not be empty/],
  ['{ profiles: { shop: { scopes_any: ["a b"] } } }', 'profiles.shop.scopes_any[0]', /hold spaces/],
  ['{ profiles: { shop: { token_use: [id_token] } } }', 'profiles.shop.token_use[0]', /access_token or refresh_token/],
  ['{ profiles: { shop: { anonymous: "yes" } } }', 'profiles.shop.anonymous', /must be true or false/],
  ['{ profiles: [shop] }', 'profiles', /must be a section/],
  ['{ budget: 5ms }', 'budget', /must be a duration from 10ms/],
];
for (const [section, path, problem] of BAD) {
  test(`refused: ${section}`, () => {
    const faults = faultsOf(withExtAuthz(section));
    assert.deepEqual(Object.keys(faults), [`ext_authz.${path}`]);
    assert.match(Object.values(faults).join(), problem);
  });
}

const policyWith = (keys: string) => `version: 1
callers:
  - name: envoy
    identities: ["spiffe://a/envoy"]
    permissions: [check]
    issuers: [i]
    audiences: [a]
${keys.replaceAll(/^/gm, '    ')}
`;

test('a caller says its rate, its profile and whether requests without a token may pass', () => {
  const text = policyWith('check_rate: { per_second: 5, burst: 6 }\ncheck_profile: shop\ncheck_anonymous: true');
  const caller = createPolicy(parsePolicyFile(text, 'policy.yaml', ['shop'])).getCaller(['spiffe://a/envoy']);
  assert.deepEqual(caller.check, { profile: 'shop', anonymous: true });
  assert.deepEqual(caller.rates.check, { perSecond: 5, burst: 6 });
});

test('left out, there is no rate, no profile and nothing anonymous', () => {
  const caller = createPolicy(parsePolicyFile(policyWith(''), 'policy.yaml')).getCaller(['spiffe://a/envoy']);
  assert.deepEqual(caller.check, { profile: undefined, anonymous: false });
  assert.equal(caller.rates.check, undefined);
});

test('a profile that the configuration does not have is a fault, with its line', () => {
  assert.throws(
    () => parsePolicyFile(policyWith('check_profile: shop'), 'policy.yaml', ['shops']),
    (error: unknown) => {
      assert.ok(error instanceof FaultsError);
      assert.deepEqual(
        error.faults.map(({ path, origin }) => [path, origin]),
        [['callers[0].check_profile', 'line 8']],
      );
      return true;
    },
  );
});
