import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { formatNewKeys, parseKeyRing, TAG_KINDS } from '../../src/core/key-ring.js';
import { parseToken, tokenSha256 } from '../../src/core/token.js';

const KEY_A = Buffer.alloc(32, 1).toString('base64');
const KEY_B = Buffer.alloc(32, 2).toString('base64');
const TAG_KEY = Buffer.alloc(32, 3).toString('base64');
const sha256 = tokenSha256(parseToken('an-opaque-token', 100));

describe('a key ring', () => {
  it('makes the digest that DESIGN defines, one a key, the first key first', () => {
    const ring = parseKeyRing(`digest:${KEY_A}\ndigest:${KEY_B}\ntag:${TAG_KEY}\n`);
    const expected = [KEY_A, KEY_B].map((key) =>
      createHash('sha256')
        .update(key + createHash('sha256').update('an-opaque-token').digest('hex'))
        .digest()
        .subarray(0, 16)
        .toString('base64url'),
    );
    assert.deepEqual(ring.digests(sha256), expected);
  });

  it('makes canonical digests: 16 bytes and back are the same text', () => {
    const ring = parseKeyRing(formatNewKeys(randomBytes));
    for (let i = 0; i < 200; i++) {
      const [digest = ''] = ring.digests(tokenSha256(parseToken(`token-${i}`, 100)));
      const bytes = Buffer.from(digest, 'base64url');
      assert.equal(bytes.length, 16);
      assert.equal(bytes.toString('base64url'), digest);
    }
  });

  it('makes different tags for different kinds, issuers, values and keys', () => {
    const rings = [TAG_KEY, KEY_A].map((key) => parseKeyRing(`digest:${KEY_B}\ntag:${key}`));
    const pairs = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['', 'abc'],
      ['abc', ''],
    ] as const;
    const tags = rings.flatMap((ring) =>
      TAG_KINDS.flatMap((kind) => pairs.map(([iss, value]) => Buffer.from(ring.tag(kind, iss, value)).toString('hex'))),
    );
    assert.equal(new Set(tags).size, 2 * TAG_KINDS.length * pairs.length);
    assert.ok(tags.every((tag) => tag.length === 16));
  });

  it('tells its keys apart without telling them', () => {
    const ring = parseKeyRing(`digest:${KEY_A}\ndigest:${KEY_B}\ntag:${KEY_A}`);
    const checks = [ring.checks.tag, ...ring.checks.digests];
    assert.equal(new Set(checks).size, 3);
    assert.ok(checks.every((check) => /^[0-9a-f]{16}$/.test(check)));
  });

  const bad = [
    ['', /no line digest/],
    [`tag:${TAG_KEY}`, /no line digest/],
    [`digest:${KEY_A}`, /exactly one line tag/],
    [`digest:${KEY_A}\ntag:${TAG_KEY}\ntag:${KEY_B}`, /exactly one line tag/],
    [`digest:${KEY_A}\ndigest:${KEY_A}\ntag:${TAG_KEY}`, /twice/],
    [`digest:AAAA\ntag:${TAG_KEY}`, /line 1.*32 bytes/],
    [`# keys\n\nsalt:${KEY_A}`, /line 3/],
  ] as const;
  for (const [text, message] of bad) {
    it(`refuses ${JSON.stringify(text.replaceAll(/[A-Za-z0-9+/]{40,}=*/g, 'KEY'))}`, () => {
      assert.throws(() => parseKeyRing(text), message);
      assert.throws(
        () => parseKeyRing(text),
        (error: Error) => !error.message.includes(KEY_A),
      );
    });
  }
});

describe('parseToken', () => {
  const refused = [
    ['', 'TOKEN_REQUIRED'],
    ['a'.repeat(101), 'TOKEN_TOO_LONG'],
    ['=', 'TOKEN_MALFORMED'],
    ['a b', 'TOKEN_MALFORMED'],
    ['a=b', 'TOKEN_MALFORMED'],
    ['a\n', 'TOKEN_MALFORMED'],
    ['tök', 'TOKEN_MALFORMED'],
    ['a\0', 'TOKEN_MALFORMED'],
    ['\ufffd', 'TOKEN_MALFORMED'],
    ['a,b', 'TOKEN_MALFORMED'],
  ] as const;
  for (const [text, reason] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 10))} as ${reason}`, () => {
      assert.throws(() => parseToken(text, 100), { reason });
    });
  }
  for (const text of ['a', 'A-Z.a_z~0+9/', 'abc==', 'a'.repeat(100)]) {
    it(`takes ${text.slice(0, 20)}`, () => assert.equal(parseToken(text, 100), text));
  }
});
