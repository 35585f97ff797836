// What an entry costs, at any number of them: 40 B, whether they became more or fewer. Memory is no matter of speed: it is
// counted to the byte, once nothing is left to collect.
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Tag } from '../../src/core/key-ring.js';
import { createRevocationTable } from '../../src/core/revocation-table.js';
import { END_OF_TIME_MS } from '../../src/core/token-store.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const ENTRY_BYTES = 40;
const EMPTY_BYTES = 1024 * 1024;
const PAGE = 1000;
const SIZES = [150_000, 175_000, 200_000, 240_000, 280_000, 500_000, 700_000, 1_000_000];

describe('an entry of the revocation table', () => {
  it('takes 40 B at most, while they become more and fewer, and none when they are gone', () => {
    const bytes = Buffer.alloc(8 * PAGE);
    const page = Array.from({ length: PAGE }, (_, index) => ({
      tag: bytes.subarray(8 * index, 8 * (index + 1)) as Uint8Array as Tag,
      beforeMs: END_OF_TIME_MS,
      issuerTag: new Uint8Array(8) as Tag,
    }));
    const empty = countBytes();
    const table = createRevocationTable();
    const assertSmall = () => {
      const each = (countBytes() - empty) / table.size;
      assert.ok(each <= ENTRY_BYTES, `${each} B each at ${table.size}`);
    };
    // Each entry is seen at a time of its own page, 1 s after the one before.
    for (const size of SIZES) {
      while (table.size < size) {
        randomFillSync(bytes);
        table.apply(page, table.size);
      }
      assertSmall();
    }
    for (const size of SIZES.toReversed()) {
      while (!table.expire(1_000_000 - size));
      assert.ok(Math.abs(table.size - size) <= PAGE, `${table.size} is about ${size}`);
      assertSmall();
    }
    while (!table.expire(END_OF_TIME_MS));
    assert.equal(table.size, 0);
    assert.ok(countBytes() - empty < EMPTY_BYTES, `${countBytes() - empty} B of an empty table`);
  });
});

function countBytes(): number {
  // Buffers that one collection finds are freed beside it, at the latest when the next begins.
  collectGarbage();
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
