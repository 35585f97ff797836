// Histories made by hand: a checker that finds nothing in any history would pass every other test of this folder.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countReadsAfterRevoke, findViolations, type Rule } from './checker.js';
import { type Effect, findEffects } from './covering.js';
import type { Answer, IssuedToken, Read, Revoked } from './history.js';

const BOUNDS = { leaseMs: 1000, toleranceMs: 50, clockMs: 5 };
/** Registered from 100 to 110, revoked from 200 to 210, ends at 9000. */
const TOKEN: IssuedToken = { id: 1, invokeMs: 100, returnMs: 110, issuedAtMs: 100_000, endsMs: 9000 };
const ACKNOWLEDGED: Effect = { token: 1, invokeMs: 200, returnMs: 210, kind: 'acknowledged', waitsForCaches: false };
const POSSIBLE: Effect = { ...ACKNOWLEDGED, kind: 'possible' };
const FLUSHED: Effect = { ...ACKNOWLEDGED, waitsForCaches: true };

function read(answer: Answer, invokeMs: number, returnMs: number, from: Read['from'] = 'server'): Read {
  return { token: 1, invokeMs, returnMs, answer, from };
}

interface Row {
  readonly name: string;
  readonly effects: readonly Effect[];
  readonly reads: readonly Read[];
  readonly found: readonly Rule[];
}

const ROWS: readonly Row[] = [
  { name: 'active while it lives', effects: [ACKNOWLEDGED], reads: [read('active', 111, 120)], found: [] },
  { name: 'inactive after the revocation', effects: [ACKNOWLEDGED], reads: [read('inactive', 211, 220)], found: [] },
  { name: 'either while it is revoked', effects: [ACKNOWLEDGED], reads: [read('active', 205, 900)], found: [] },
  { name: 'V1: active, asked after the OK', effects: [ACKNOWLEDGED], reads: [read('active', 211, 220)], found: ['V1'] },
  { name: 'V1 however late the answer', effects: [ACKNOWLEDGED], reads: [read('active', 211, 8000)], found: ['V1'] },
  { name: 'no V1 without an OK', effects: [POSSIBLE], reads: [read('active', 211, 220)], found: [] },
  {
    name: 'V2: active, asked after inactive was told',
    effects: [POSSIBLE],
    reads: [read('inactive', 205, 215), read('active', 216, 220)],
    found: ['V2'],
  },
  {
    name: 'V2 wherever the reads stand in the list',
    effects: [POSSIBLE],
    reads: [read('active', 216, 220), read('inactive', 205, 215)],
    found: ['V2'],
  },
  {
    name: 'no V2 when they overlap',
    effects: [POSSIBLE],
    reads: [read('inactive', 205, 215), read('active', 214, 220)],
    found: [],
  },
  {
    name: 'no V2 against an answer from before it was registered',
    effects: [],
    reads: [read('inactive', 105, 115), read('active', 116, 120)],
    found: [],
  },
  { name: 'V3: active, asked at its end', effects: [], reads: [read('active', 9006, 9010)], found: ['V3'] },
  { name: 'no V3 when asked before the end', effects: [], reads: [read('active', 8999, 9100)], found: [] },
  { name: 'V3 in a cache', effects: [], reads: [read('active', 9006, 9006, 'cache')], found: ['V3'] },
  { name: 'V4: inactive while it lives', effects: [], reads: [read('inactive', 111, 120)], found: ['V4'] },
  {
    name: 'V4: inactive, told before the revocation was asked for',
    effects: [ACKNOWLEDGED],
    reads: [read('inactive', 111, 199)],
    found: ['V4'],
  },
  { name: 'no V4 once it may be dead', effects: [POSSIBLE], reads: [read('inactive', 190, 201)], found: [] },
  { name: 'no V4 before it was there', effects: [], reads: [read('inactive', 109, 120)], found: [] },
  { name: 'no V4 at its end', effects: [], reads: [read('inactive', 8000, 8996)], found: [] },
  { name: 'V4: the claims of another', effects: [], reads: [read('wrong', 111, 120)], found: ['V4'] },
  { name: 'V4: active before it was registered', effects: [], reads: [read('active', 90, 99)], found: ['V4'] },
  {
    name: 'a cache within its lease',
    effects: [ACKNOWLEDGED],
    reads: [read('active', 1260, 1260, 'cache')],
    found: [],
  },
  {
    name: 'V5: a cache beyond its lease',
    effects: [ACKNOWLEDGED],
    reads: [read('active', 1261, 1261, 'cache')],
    found: ['V5'],
  },
  {
    name: 'V5: a cache after a revocation that waited for it',
    effects: [FLUSHED],
    reads: [read('active', 211, 211, 'cache')],
    found: ['V5'],
  },
  {
    name: 'a server is not given the lease of a cache',
    effects: [FLUSHED],
    reads: [read('active', 211, 212)],
    found: ['V1'],
  },
  { name: 'an error is no answer', effects: [ACKNOWLEDGED], reads: [read('error', 211, 220)], found: [] },
];

describe('the checker', () => {
  for (const { name, effects, reads, found } of ROWS) {
    it(name, () => {
      const violations = findViolations({ tokens: [TOKEN], effects, reads }, BOUNDS);
      assert.deepEqual(
        violations.map(({ rule }) => rule),
        found,
      );
    });
  }

  it('counts the answers of servers to what was asked after an OK', () => {
    const reads = [
      read('inactive', 211, 220),
      read('active', 211, 220),
      read('inactive', 205, 220),
      read('error', 211, 220),
      read('active', 211, 220, 'cache'),
    ];
    assert.equal(countReadsAfterRevoke({ tokens: [TOKEN], effects: [ACKNOWLEDGED], reads }), 2);
    assert.equal(countReadsAfterRevoke({ tokens: [TOKEN], effects: [POSSIBLE], reads }), 0);
  });
});

/** Tokens 0..3 are of one grant, 0 is its refresh token; 160 is of the same user and of another issuer. */
const issue = (id: number, invokeMs: number): IssuedToken => ({ ...TOKEN, id, invokeMs, returnMs: invokeMs + 10 });
const OTHERS = [issue(0, 100), issue(1, 100), issue(2, 500), issue(3, 205), issue(4, 100), issue(160, 100)];
const revoke = (change: Partial<Revoked>): Revoked => ({
  ...{ by: 'token', token: 1, issuedBeforeMs: undefined, waitsForCaches: false },
  ...{ invokeMs: 200, returnMs: 210, acknowledged: true },
  ...change,
});

const COVERED: readonly (readonly [string, Partial<Revoked>, Readonly<Record<number, Effect['kind']>>])[] = [
  ['a token', {}, { 1: 'acknowledged' }],
  ['a refresh token', { token: 0 }, { 0: 'acknowledged', 1: 'acknowledged', 2: 'acknowledged', 3: 'acknowledged' }],
  ['a jti', { by: 'jti' }, { 1: 'acknowledged' }],
  ['a session', { by: 'session' }, { 0: 'acknowledged', 1: 'acknowledged', 2: 'acknowledged', 3: 'acknowledged' }],
  ['a user, until now', { by: 'subject' }, { 0: 'acknowledged', 1: 'acknowledged', 3: 'possible' }],
  [
    'an issuer, until now',
    { by: 'issuer' },
    { 0: 'acknowledged', 1: 'acknowledged', 3: 'possible', 4: 'acknowledged' },
  ],
  ['a user, issued before an instant that is past', { by: 'subject', issuedBeforeMs: 100_000 }, {}],
  [
    'a user, without an answer',
    { by: 'subject', acknowledged: false },
    { 0: 'possible', 1: 'possible', 2: 'possible', 3: 'possible' },
  ],
];

describe('what a revocation kills', () => {
  for (const [name, change, expected] of COVERED) {
    it(name, () => {
      const effects = findEffects(OTHERS, [revoke(change)]);
      assert.deepEqual(Object.fromEntries(effects.map(({ token, kind }) => [token, kind])), expected);
    });
  }

  it('a user, issued before the instant', () => {
    const tokens = [
      { ...issue(0, 100), issuedAtMs: 99_999 },
      { ...issue(1, 100), issuedAtMs: 100_000 },
    ];
    const effects = findEffects(tokens, [revoke({ by: 'subject', issuedBeforeMs: 100_000 })]);
    assert.deepEqual(
      effects.map(({ token }) => token),
      [0],
    );
  });
});
