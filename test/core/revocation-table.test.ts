import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Tag } from '../../src/core/key-ring.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';

const NO_ISSUER = new Uint8Array(8) as Tag;

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
      assert.equal(table.size, 1);
    }
  });

  it('tells tags apart by every one of their 64 bits', () => {
    for (let bit = 0; bit < 64; bit++) {
      const table = createRevocationTable();
      table.apply([{ ...revocation(0, 1000), tag: toTag(1n << BigInt(bit)) }], 0);
      assert.ok(table.isRevoked(toTag(1n << BigInt(bit)), 1));
      assert.ok(!table.isRevoked(toTag((1n << BigInt(bit)) ^ (1n << BigInt((bit + 32) % 64))), 1));
    }
  });

  it('forgets only what was last seen before the given time', () => {
    const table = createRevocationTable();
    table.apply([revocation(1, 1000), revocation(2, 1000)], 10);
    table.apply([revocation(3, 1000)], 20);
    table.apply([revocation(1, 500)], 30);
    table.expire(20);
    assert.deepEqual(
      [1, 2, 3].map((value) => table.isRevoked(tags(value), 1000)),
      [true, false, true],
    );
    table.expire(31);
    assert.equal(table.size, 0);
  });
});

function toTag(value: bigint): Tag {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes as Uint8Array as Tag;
}

function tags(...values: number[]): Uint8Array {
  return Buffer.concat(values.map((value) => toTag(BigInt(value))));
}

function revocation(value: number, beforeMs: number) {
  return { tag: toTag(BigInt(value)), beforeMs, issuerTag: NO_ISSUER };
}
