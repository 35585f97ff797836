import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeEntry,
  type EntryFields,
  encodeRecord,
  encodeUnknownTombstone,
  findTag,
  isSameRegistration,
  stampRegisteredAt,
  toTombstone,
} from '../../src/core/entry.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import { TAG_KINDS, type Tag } from '../../src/core/key-ring.js';

const MAX_SECONDS = 253402300799;

const tag = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => bytes as Tag);
const fields: fc.Arbitrary<EntryFields> = fc
  .record({
    tokenUse: fc.constantFrom('access_token' as const, 'refresh_token' as const),
    claimedIssueMs: fc.integer({ min: 0, max: MAX_SECONDS * 1000 + 999 }),
    hasIssuedAtMs: fc.boolean(),
    expSeconds: fc.integer({ min: 0, max: MAX_SECONDS }),
    nbfSeconds: fc.option(fc.integer({ min: 0, max: MAX_SECONDS }), { nil: undefined }),
    iss: fc.string({ minLength: 1, unit: 'grapheme' }),
    aud: fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 4 }),
    tags: fc
      .subarray([...TAG_KINDS])
      .chain((kinds) =>
        fc.tuple(...kinds.map(() => tag)).map((tags) => new Map(kinds.map((kind, i) => [kind, tags[i] as Tag]))),
      ),
    mask: fc.integer({ min: 0, max: 0x1fffff }),
    noise: fc.uint8Array({ maxLength: 50 }),
  })
  .map(({ noise, ...rest }) => ({
    ...rest,
    claims: Buffer.concat([noise, ...[rest.iss, ...rest.aud].map((text) => Buffer.from(text))]),
  }));
const PLAIN: EntryFields = {
  tokenUse: 'access_token',
  claimedIssueMs: 1,
  hasIssuedAtMs: true,
  expSeconds: 2,
  nbfSeconds: undefined,
  iss: 'i',
  aud: ['a'],
  tags: new Map(),
  mask: 0b110,
  claims: Buffer.from('ia'),
};
const registeredAt = fc.integer({ min: 0, max: MAX_SECONDS * 1000 });

describe('an entry', () => {
  it('gives back what a record was made of', () => {
    fc.assert(
      fc.property(fields, registeredAt, (made, registeredAtMs) => {
        const entry = decodeEntry(stamped(made, registeredAtMs));
        assert.equal(entry.kind, 'record');
        assert.equal(entry.tokenUse, made.tokenUse);
        assert.equal(entry.issueInstantMs, Math.min(registeredAtMs, made.claimedIssueMs));
        assert.equal(entry.expMs, made.expSeconds * 1000);
        assert.equal(entry.nbfMs, made.nbfSeconds === undefined ? undefined : made.nbfSeconds * 1000);
        assert.equal(entry.iss, made.iss);
        assert.deepEqual(entry.aud, made.aud);
        assert.equal(entry.mask, made.mask);
        assert.deepEqual(Buffer.from(entry.claims), Buffer.from(made.claims));
      }),
    );
  });

  it('becomes a tombstone that keeps all but the claims, and stays it', () => {
    fc.assert(
      fc.property(fields, registeredAt, (made, registeredAtMs) => {
        const record = stamped(made, registeredAtMs);
        const tombstone = toTombstone(record);
        const [before, after] = [decodeEntry(record), decodeEntry(tombstone)];
        assert.deepEqual(
          { ...after, tags: hex(after.tags) },
          {
            ...before,
            tags: hex(before.tags),
            kind: 'tombstone',
            mask: 0,
            claims: new Uint8Array(0),
          },
        );
        assert.deepEqual(toTombstone(tombstone), tombstone);
        for (const kind of TAG_KINDS) assert.deepEqual(hex(findTag(tombstone, kind)), hex(made.tags.get(kind)));
      }),
    );
  });

  it('is the same registration whatever registered_at says, and another for any other byte', () => {
    fc.assert(
      fc.property(fields, registeredAt, fc.nat(), (made, registeredAtMs, at) => {
        const first = stamped(made, 0);
        assert.ok(isSameRegistration(first, stamped(made, registeredAtMs)));
        const other = Buffer.from(first);
        const index = at % other.length;
        if (index >= 2 && index < 8) return;
        other[index] = (other[index] ?? 0) ^ 1;
        assert.ok(!isSameRegistration(first, other));
        assert.ok(!isSameRegistration(first, Buffer.concat([first, Buffer.from([0])])));
      }),
    );
  });

  // Redis keeps values in steps of 32 bytes: these seven decide for many tokens of a login.
  it('takes no room for what is not there', () => {
    const made = { ...PLAIN, tags: new Map(TAG_KINDS.map((kind) => [kind, Buffer.alloc(8) as Uint8Array as Tag])) };
    const overhead = encodeRecord(made).length - made.claims.length;
    assert.equal(overhead, 24 + 8 * 8 + 2 * 4);
    assert.equal(encodeRecord({ ...made, nbfSeconds: 1 }).length, encodeRecord(made).length + 5);
  });

  it('of an unknown token is a tombstone of no issuer, and belongs to nothing', () => {
    const entry = decodeEntry(encodeUnknownTombstone());
    assert.deepEqual([entry.kind, entry.iss, entry.aud, entry.tags.length], ['tombstone', '', [], 0]);
  });

  it('of a form that nobody wrote is a doubt, not an answer', () => {
    fc.assert(
      fc.property(fields, fc.nat(), (made, cut) => {
        const record = stamped(made, 1);
        const unknownKind = Buffer.from(record);
        unknownKind[0] = 3;
        assert.throws(() => decodeEntry(unknownKind), StoreUnavailable);
        for (const bit of [4, 8, 64, 128]) {
          const unknownFlag = Buffer.from(record);
          unknownFlag[1] = (unknownFlag[1] ?? 0) | bit;
          assert.throws(() => decodeEntry(unknownFlag), StoreUnavailable);
        }
        assert.throws(() => decodeEntry(record.subarray(0, cut % 24)), StoreUnavailable);
        const truncated = record.subarray(0, record.length - made.claims.length - 1);
        assert.throws(() => decodeEntry(truncated), StoreUnavailable);
      }),
    );
  });
});

function stamped(made: EntryFields, registeredAtMs: number): Buffer {
  const record = encodeRecord(made);
  stampRegisteredAt(record, registeredAtMs);
  return record;
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex');
}
