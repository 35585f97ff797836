import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '../../src/core/entry.js';
import { judge, type Question } from '../../src/core/judge.js';
import { createPolicy } from '../../src/core/policy.js';
import { AUDIENCE, INTROSPECT_CASES, type IntrospectCase, ISSUER } from '../cases/introspect-cases.js';
import { RING } from '../store/harness.js';

const NOW_MS = 1_800_000_000_000;
const NOTHING_REVOKED = { isRevoked: () => false };

describe('judge', () => {
  for (const row of INTROSPECT_CASES) {
    it(row.name, () => {
      const verdict = judge(toEntry(row), toQuestion(row));
      assert.equal(verdict.active ? 'active' : verdict.reason, row.expect);
    });
  }

  it('what its issuer was revoked by, no record has to carry', () => {
    const issuerTag = RING.issuerTag(ISSUER);
    const isRevoked = (tags: Uint8Array) => Buffer.compare(tags, issuerTag) === 0;
    const verdict = judge(toEntry(), { ...toQuestion(), revocations: { isRevoked } });
    assert.equal(verdict.active ? 'active' : verdict.reason, 'REVOKED');
  });

  const clocks = [
    { store: -1, server: -1, exp: 'active' },
    { store: 0, server: -5000, exp: 'EXPIRED' },
    { store: -5000, server: 0, exp: 'EXPIRED' },
    { store: 1, server: 1, exp: 'EXPIRED' },
  ] as const;
  for (const { store, server, exp } of clocks) {
    it(`exp with the store ${store} ms and the server ${server} ms from it: ${exp}`, () => {
      const question = { ...toQuestion(), storeTimeMs: NOW_MS + store, serverTimeMs: NOW_MS + server };
      const verdict = judge({ ...toEntry(), expMs: NOW_MS } as Entry, question);
      assert.equal(verdict.active ? 'active' : verdict.reason, exp);
    });
  }

  for (const [store, server, expect] of [
    [0, 0, 'active'],
    [-1, 0, 'NOT_YET_VALID'],
    [0, -1, 'NOT_YET_VALID'],
  ] as const) {
    it(`nbf with the store ${store} ms and the server ${server} ms from it: ${expect}`, () => {
      const question = { ...toQuestion(), storeTimeMs: NOW_MS + store, serverTimeMs: NOW_MS + server };
      const verdict = judge({ ...toEntry(), nbfMs: NOW_MS } as Entry, question);
      assert.equal(verdict.active ? 'active' : verdict.reason, expect);
    });
  }

  it('asks the revocations for the tags and the issue instant of the entry', () => {
    const entry = toEntry() as Entry;
    const revocations = {
      isRevoked: (tags: Uint8Array, issuedMs: number) => tags === entry.tags && issuedMs === entry.issueInstantMs,
    };
    assert.deepEqual(judge(entry, { ...toQuestion(), revocations }), { active: false, reason: 'REVOKED' });
  });
});

function toEntry(row: IntrospectCase = { name: '', token: {}, expect: 'active' }): Entry | undefined {
  if (row.token === undefined && row.revoked !== true) return undefined;
  const {
    iss = ISSUER,
    aud = [AUDIENCE],
    tokenUse = 'access_token',
    expInSeconds = 60,
    nbfInSeconds,
  } = row.token ?? {};
  return {
    kind: row.revoked ? 'tombstone' : 'record',
    tokenUse,
    issueInstantMs: NOW_MS - 1000,
    expMs: NOW_MS + expInSeconds * 1000,
    nbfMs: nbfInSeconds === undefined ? undefined : NOW_MS + nbfInSeconds * 1000,
    iss: row.token === undefined ? '' : iss,
    aud,
    tags: new Uint8Array(16),
    mask: 0,
    claims: new Uint8Array(3),
  };
}

function toQuestion(row?: IntrospectCase): Question {
  const policy = createPolicy([
    {
      name: 'orders',
      identities: ['spiffe://test/orders'],
      permissions: ['introspect'],
      revoke: [],
      issuers: [ISSUER],
      audiences: row?.caller?.audiences ?? [AUDIENCE],
      tokenUse: row?.caller?.tokenUse,
      claims: undefined,
    },
  ]);
  return {
    caller: policy.getCaller(['spiffe://test/orders']),
    audiences: row?.audiences ?? [],
    revocations: NOTHING_REVOKED,
    issuerTag: RING.issuerTag,
    storeTimeMs: NOW_MS,
    serverTimeMs: NOW_MS,
  };
}
