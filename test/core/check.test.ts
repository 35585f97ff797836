import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type CheckedClaims, type CheckedRequest, createCheck } from '../../src/core/check.js';
import { rememberDemands } from '../../src/core/demands.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Introspect, IntrospectCommand } from '../../src/core/introspect.js';
import { type Caller, createPolicy } from '../../src/core/policy.js';
import { createRates, limitCheck } from '../../src/core/rates.js';
import { BEARER, CHECK_CASES, CHECK_TOKEN, type CheckCase } from '../cases/check-cases.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';

const GOOD: CheckedClaims = {
  iss: ISSUER,
  scope: 'read write',
  acr: undefined,
  tokenUse: 'access_token',
  cnf: undefined,
};
const EMPTY = new Uint8Array();
const ACTIVE = { active: true, claims: EMPTY, mask: 0, iss: '', recordTags: EMPTY, lifetimeMs: 1000 } as const;
const ROW: CheckCase = { name: '', expect: 'allowed' };

describe('check', () => {
  for (const row of CHECK_CASES) {
    it(`${row.name}: ${row.expect}`, async () => {
      const { check } = createTestCheck(row);
      const verdict = await check(toCaller(row), toRequest(row));
      assert.equal(verdict.outcome === 'denied' ? verdict.denial : verdict.outcome, row.expect);
    });
  }

  it('asks the one judge for the token, and for the one audience', async () => {
    const { check, asked } = createTestCheck(ROW);
    await check(toCaller(ROW), toRequest(ROW));
    assert.deepEqual(
      asked.map(({ command, token }) => [token, command.audiences]),
      [[CHECK_TOKEN, [AUDIENCE]]],
    );
  });

  it('asks the store nothing for what is refused before', async () => {
    for (const row of CHECK_CASES.filter(({ expect }) => /credential|fault|misconfigured|anonymous/.test(expect))) {
      const { check, asked } = createTestCheck(row);
      await check(toCaller(row), toRequest(row));
      assert.equal(asked.length, 0, row.name);
    }
  });

  it('says which scopes, or which acr, would have been enough', async () => {
    const needed = async (extensions: Readonly<Record<string, string>>) => {
      const row = { ...ROW, extensions };
      const verdict = await createTestCheck(row).check(toCaller(row), toRequest(row));
      return verdict.outcome === 'denied' && verdict.needed;
    };
    assert.deepEqual(await needed({ scopes_all: 'read admin' }), ['read', 'admin']);
    assert.deepEqual(await needed({ scopes_any: 'root admin' }), ['root', 'admin']);
    assert.deepEqual(await needed({ acr: 'gold' }), ['gold']);
  });

  it('demands of each route what it says, whatever was demanded before, and of each policy what that says', async () => {
    const { check } = createTestCheck(ROW);
    const caller = toCaller(ROW);
    const outcome = async (extensions: Readonly<Record<string, string>>, asker = caller) => {
      const verdict = await check(asker, toRequest({ ...ROW, extensions }));
      return verdict.outcome === 'denied' ? verdict.denial : verdict.outcome;
    };
    for (let round = 0; round < 2; round++) {
      assert.equal(await outcome({}), 'allowed');
      assert.equal(await outcome({ scopes_all: 'admin' }), 'scope_insufficient');
      assert.equal(await outcome({ scopes_all: 'read' }), 'allowed');
      assert.equal(await outcome({ scopes_al: 'lread' }), 'misconfigured');
      assert.equal(
        await outcome({}, toCaller({ ...ROW, audiences: [AUDIENCE, 'https://else.example'] })),
        'misconfigured',
      );
    }
  });

  it('keeps nothing of routes that are long, nor of those that are at fault', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldMb = () => {
      collect();
      return process.memoryUsage().heapUsed / 1e6;
    };
    const findDemands = rememberDemands(new Map());
    const caller = toCaller(ROW);
    const before = heldMb();
    for (let route = 0; route < 200; route++) {
      const long = `${route} ${'x'.repeat(100_000)}`;
      findDemands(caller, new Map([['scopes_all', long]]));
      findDemands(caller, new Map([['unknown', long]]));
    }
    const grownMb = heldMb() - before;
    assert.ok(grownMb < 5, `${grownMb} MB of 40 are held`);
    assert.notEqual(findDemands(caller, new Map()), undefined);
  });

  it('is no answer when the store is in doubt', async () => {
    const introspect = { one: () => Promise.reject(new StoreUnavailable('gone')) } as unknown as Introspect;
    const { check } = createTestCheck(ROW, introspect);
    await assert.rejects(check(toCaller(ROW), toRequest(ROW)), StoreUnavailable);
  });

  it('has a rate of its own, which anonymous requests use too', async () => {
    const row = CHECK_CASES.find(({ expect }) => expect === 'anonymous') ?? ROW;
    const check = limitCheck(
      createTestCheck(row).check,
      createRates(() => 0),
    );
    const caller = toCaller(row, { perSecond: 1, burst: 2 });
    await check(caller, toRequest(row));
    await check(caller, toRequest(row));
    await assert.rejects(check(caller, toRequest(row)), { reason: 'RATE_LIMITED' });
  });
});

function createTestCheck(row: CheckCase, introspect?: Introspect) {
  const asked: { readonly command: IntrospectCommand; readonly token: string }[] = [];
  const isActive = !('claims' in row) || row.claims !== undefined;
  const answering: Introspect = {
    one: async (command, token) => {
      asked.push({ command, token });
      return isActive ? ACTIVE : { active: false, reason: 'REVOKED' };
    },
    many: async () => [],
  };
  const check = createCheck({
    introspect: introspect ?? answering,
    profiles: new Map(Object.entries(row.profiles ?? {})),
    place: { kind: 'bearer' },
    tokenBytes: 4096,
    decodeClaims: () => ({ ...GOOD, ...row.claims }) as CheckedClaims,
  });
  return { check, asked };
}

function toCaller(row: CheckCase, rate?: { readonly perSecond: number; readonly burst: number }): Caller {
  const identity = 'spiffe://test/envoy';
  const rule = {
    name: 'envoy',
    identities: [identity],
    permissions: ['check'] as const,
    revoke: [],
    issuers: [ISSUER],
  };
  const { audiences = [AUDIENCE], rule: { profile = undefined, anonymous = false } = {} } = row;
  const more = { audiences, tokenUse: undefined, claims: undefined, rates: { check: rate } };
  return createPolicy([{ ...rule, ...more, check: { profile, anonymous } }]).getCaller([identity]);
}

function toRequest(row: CheckCase): CheckedRequest {
  return {
    headers: new Map(Object.entries(row.headers ?? { authorization: [BEARER] })),
    path: row.path ?? '/orders?page=1',
    extensions: new Map(Object.entries(row.extensions ?? {})),
    findPeerThumbprint: () => row.thumbprint,
  };
}
