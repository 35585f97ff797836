import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Tag } from '../../src/core/key-ring.js';
import { createRevocationTable, type RevocationTable } from '../../src/core/revocation-table.js';
import { END_OF_TIME_MS } from '../../src/core/token-store.js';

const NO_ISSUER = new Uint8Array(8) as Tag;
const MANY = 60_000;

describe('the revocation table', () => {
  it('knows what was issued at or before the revocation, by any of its tags', () => {
    const table = createRevocationTable();
    table.apply([revocation(7, 1000)], 0);
    assert.ok(table.isRevoked(tags(1, 7, 3), 1000));
    assert.ok(table.isRevoked(tags(7), 999));
    assert.ok(!table.isRevoked(tags(7), 1001));
    assert.ok(!table.isRevoked(tags(1, 3), 0));
    assert.ok(!table.isRevoked(tags(), 0));
  });

  it('keeps the broadest of several, whatever their order', () => {
    for (const order of [
      [1000, 2000],
      [2000, 1000],
    ]) {
      const table = createRevocationTable();
      for (const beforeMs of order) table.apply([revocation(7, beforeMs)], 0);
      assert.ok(table.isRevoked(tags(7), 2000));
      assert.ok(!table.isRevoked(tags(7), 2001));
      assert.equal(table.size, 1);
    }
  });

  it('tells tags apart by every one of their 64 bits', () => {
    for (let bit = 0; bit < 64; bit++) {
      const table = createRevocationTable();
      table.apply([{ ...revocation(0, 1000), tag: toTag(1n << BigInt(bit)) }], 0);
      assert.ok(table.isRevoked(toTag(1n << BigInt(bit)), 1));
      assert.ok(!table.isRevoked(toTag((1n << BigInt(bit)) ^ (1n << BigInt((bit + 32) % 64))), 1));
      assert.ok(!table.isRevoked(toTag(0n), 1));
    }
  });

  it('knows the tag of zeros and the tag of ones, and each only when it was revoked', () => {
    const [zeros, ones] = [toTag(0n), toTag(2n ** 64n - 1n)];
    for (const [revoked, other] of [
      [zeros, ones],
      [ones, zeros],
    ] as const) {
      const table = createRevocationTable();
      table.apply([{ ...revocation(0, 1000), tag: revoked }], 0);
      assert.ok(table.isRevoked(revoked, 1000));
      assert.ok(!table.isRevoked(other, 0));
      assert.equal(table.size, 1);
    }
  });

  it('is exact to the millisecond from the beginning to the end of time', () => {
    const words = [1, 2, 3, 58_999].map((word) => word * 2 ** 32);
    const instants = words.flatMap((word) => [word - 1, word, word + 1]);
    for (const beforeMs of [0, 1, 2 ** 31 - 1, 2 ** 31, ...instants, END_OF_TIME_MS]) {
      const table = createRevocationTable();
      table.apply([revocation(7, beforeMs)], 0);
      assert.ok(table.isRevoked(tags(7), beforeMs), `${beforeMs}`);
      assert.ok(!table.isRevoked(tags(7), beforeMs + 1), `${beforeMs} + 1`);
    }
  });

  it('throws on what is no whole tag or no instant, rather than knowing something else', () => {
    const table = createRevocationTable();
    table.apply([revocation(7, 1000)], 0);
    for (const length of [1, 7, 9]) {
      assert.throws(() => table.isRevoked(new Uint8Array(length), 0), RangeError);
      assert.throws(() => table.apply([{ ...revocation(1, 1), tag: new Uint8Array(length) as Tag }], 0), RangeError);
    }
    for (const beforeMs of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53]) {
      assert.throws(() => table.apply([revocation(1, beforeMs)], 0), RangeError);
    }
    for (const noTime of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => table.expire(noTime), RangeError);
      assert.throws(() => table.apply([revocation(1, 1)], noTime), RangeError);
    }
    assert.equal(table.size, 1);
    assert.ok(table.isRevoked(tags(7), 1000));
  });

  it('forgets nothing by growth, and makes up nothing', () => {
    const table = createRevocationTable();
    for (let first = 0; first < MANY; first += 1000) {
      table.apply(
        Array.from({ length: 1000 }, (_, index) => ({ ...revocation(0, first + index), tag: hashed(first + index) })),
        0,
      );
    }
    assert.equal(table.size, MANY);
    for (let index = 0; index < MANY; index++) {
      assert.ok(table.isRevoked(hashed(index), index), `${index}`);
      assert.ok(!table.isRevoked(hashed(index), index + 1), `${index} + 1`);
      assert.ok(!table.isRevoked(hashed(-1 - index), 0), `${-1 - index}`);
    }
  });

  it('holds tags that all want the same place', () => {
    const table = createRevocationTable();
    const crowd = Array.from({ length: 5000 }, (_, index) => toTag((0xabcdef12n << 32n) | BigInt(index)));
    table.apply(
      crowd.map((tag) => ({ ...revocation(0, 1000), tag })),
      0,
    );
    assert.equal(table.size, crowd.length);
    assert.ok(crowd.every((tag) => table.isRevoked(tag, 1000)));
    assert.ok(!table.isRevoked(toTag((0xabcdef12n << 32n) | 5000n), 0));
    expireAll(table, 1000);
    assert.equal(table.size, 0);
    assert.ok(!crowd.some((tag) => table.isRevoked(tag, 0)));
  });
});

describe('expiry of the revocation table', () => {
  it('forgets only what was last seen before the given time', () => {
    const table = createRevocationTable();
    table.apply([revocation(1, 1000), revocation(2, 1000)], 10_000);
    table.apply([revocation(3, 1000)], 20_000);
    table.apply([revocation(1, 500)], 30_000);
    expireAll(table, 20_000);
    assert.deepEqual(
      [1, 2, 3].map((value) => table.isRevoked(tags(value), 1000)),
      [true, false, true],
    );
    expireAll(table, 31_000);
    assert.equal(table.size, 0);
  });

  it('takes the time for the later one within a second', () => {
    const table = createRevocationTable();
    table.apply([revocation(1, 1000)], 10_001);
    for (const seenBeforeMs of [10_002, 10_999, 11_000, 11_999]) expireAll(table, seenBeforeMs);
    assert.equal(table.size, 1);
    expireAll(table, 12_000);
    assert.equal(table.size, 0);
  });

  it('is never hastened by a store time that is earlier than one before', () => {
    const table = createRevocationTable();
    table.apply([revocation(1, 1000)], 20_000);
    table.apply([revocation(1, 1000)], 10_000);
    expireAll(table, 20_000);
    assert.equal(table.size, 1);
  });

  it('keeps what is seen beyond the last second that it can tell', () => {
    const table = createRevocationTable();
    table.apply([revocation(1, 1000)], END_OF_TIME_MS);
    expireAll(table, END_OF_TIME_MS);
    assert.equal(table.size, 1);
  });

  it('goes in steps that each forget a few thousand', () => {
    const table = createRevocationTable();
    for (let index = 0; index < MANY; index++) table.apply([{ ...revocation(0, 1), tag: hashed(index) }], 0);
    let through = false;
    while (!through) {
      const before = table.size;
      through = table.expire(1000);
      assert.ok(before - table.size < 12_000, `${before - table.size} at once`);
    }
    assert.equal(table.size, 0);
  });

  it('keeps every survivor while pages become fewer', () => {
    const table = createRevocationTable();
    for (let index = 0; index < MANY; index++) {
      table.apply([{ ...revocation(0, 1), tag: hashed(index) }], index % 10 === 0 ? 2000 : 1000);
    }
    expireAll(table, 2000);
    for (let index = 0; index < MANY; index++) {
      assert.equal(table.isRevoked(hashed(index), 1), index % 10 === 0, `${index}`);
    }
    assert.equal(table.size, MANY / 10);
    expireAll(table, 3000);
    assert.equal(table.size, 0);
  });
});

function expireAll(table: RevocationTable, seenBeforeMs: number): void {
  while (!table.expire(seenBeforeMs));
}

function toTag(value: bigint): Tag {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes as Uint8Array as Tag;
}

/** As tags are: bits that nobody chose. */
function hashed(index: number): Tag {
  return createHash('sha256').update(`${index}`).digest().subarray(0, 8) as Uint8Array as Tag;
}

function tags(...values: number[]): Uint8Array {
  return Buffer.concat(values.map((value) => toTag(BigInt(value))));
}

function revocation(value: number, beforeMs: number) {
  return { tag: toTag(BigInt(value)), beforeMs, issuerTag: NO_ISSUER };
}
