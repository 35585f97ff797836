// What a token belongs to, as tags: of a record and of an answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedClaims } from '../../src/core/claims.js';
import { type Selector, toAllTags, toRecordTags, toSelectorTag, toTokenTag } from '../../src/core/token-tags.js';
import { sha256 } from '../store/fixtures.js';
import { RING } from '../store/harness.js';

const ISS = 'https://login.example';
const NAMES = { jti: 'j', grantId: 'g', sid: 's', clientId: 'c', sub: 'u' };
const SELECTORS: readonly Selector[] = [
  { iss: ISS, kind: 'jti', value: 'j' },
  { iss: ISS, kind: 'grant', value: 'g' },
  { iss: ISS, kind: 'session', value: 's' },
  { iss: ISS, kind: 'client', value: 'c' },
  { iss: ISS, kind: 'subject', value: 'u' },
  { iss: ISS, kind: 'subject_client', sub: 'u', clientId: 'c' },
];
const hex = (tag: Uint8Array) => Buffer.from(tag).toString('hex');

test('a record has those of all that a revocation can name but the token and its issuer', () => {
  const tags = toRecordTags(RING, { iss: ISS, ...NAMES } as JudgedClaims);
  const expected = SELECTORS.map((selector) => [selector.kind, hex(toSelectorTag(RING, selector))]);
  assert.deepEqual(Object.fromEntries([...tags].map(([kind, tag]) => [kind, hex(tag)])), Object.fromEntries(expected));
});

test('an answer has those of its record, and of the token and its issuer', () => {
  const recordTags = Buffer.concat([...toRecordTags(RING, { iss: ISS, ...NAMES } as JudgedClaims).values()]);
  const all = toAllTags(RING, sha256('a'), { recordTags, iss: ISS });
  const issuer = toSelectorTag(RING, { iss: ISS, kind: 'issuer' });
  const expected = [toTokenTag(RING, sha256('a')), ...SELECTORS.map((one) => toSelectorTag(RING, one)), issuer];
  const found = Array.from({ length: all.length / 8 }, (_, index) => hex(all.subarray(8 * index, 8 * index + 8)));
  assert.deepEqual(found.sort(), expected.map(hex).sort());
});
