import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createTokenBucket } from '../../src/core/token-bucket.js';

const RATE = { perSecond: 10, burst: 5 };

/** [at ms, cost, what take() says], one bucket a row. */
const CASES: Readonly<Record<string, readonly (readonly [atMs: number, cost: number, waitMs: number])[]>> = {
  'is full at first, and says when the next is there': [
    [0, 5, 0],
    [0, 1, 100],
    [99, 1, 1],
    [100, 1, 0],
    [100, 1, 100],
  ],
  'takes all or nothing': [
    [0, 3, 0],
    [0, 4, 200],
    [0, 2, 0],
  ],
  'never holds more than the burst': [
    [0, 5, 0],
    [3_600_000, 5, 0],
    [3_600_000, 1, 100],
  ],
  'lets through what is larger than the burst, once it is full, and what follows pays': [
    [0, 25, 0],
    [0, 1, 2100],
    [2000, 1, 100],
    [2100, 25, 400],
    [2500, 25, 0],
    [2500, 1, 2100],
  ],
  'is not filled by a clock that steps back': [
    [1000, 5, 0],
    [0, 1, 100],
    [1000, 1, 100],
    [1100, 1, 0],
  ],
};

describe('a token bucket', () => {
  for (const [name, steps] of Object.entries(CASES)) {
    it(name, () => {
      const bucket = createTokenBucket(RATE, 0);
      for (const [atMs, cost, waitMs] of steps) assert.equal(bucket.take(cost, atMs), waitMs, `${cost} at ${atMs} ms`);
    });
  }

  it('takes back what was not used, up to the burst', () => {
    const bucket = createTokenBucket(RATE, 0);
    bucket.take(1, 0);
    bucket.giveBack(100);
    assert.equal(bucket.take(5, 0), 0);
    assert.equal(bucket.take(1, 0), 100);
  });

  const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 1e6 }), burst: fc.integer({ min: 1, max: 1e6 }) });
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 2000 })), {
    maxLength: 200,
  });

  it('gives no more in any time than the burst and the rate, and one that is larger than the burst', () => {
    fc.assert(
      fc.property(rates, steps, (rate, asked) => {
        const bucket = createTokenBucket(rate, 0);
        const taken: { atMs: number; cost: number }[] = [];
        let atMs = 0;
        for (const [passedMs, cost] of asked) {
          atMs += passedMs;
          if (bucket.take(cost, atMs) === 0) taken.push({ atMs, cost });
        }
        for (const [index, first] of taken.entries()) {
          let sum = 0;
          let largest = 0;
          for (const { atMs: at, cost } of taken.slice(index)) {
            sum += cost;
            largest = Math.max(largest, cost);
            const allowed = Math.max(rate.burst, largest) + ((at - first.atMs) / 1000) * rate.perSecond;
            assert.ok(sum <= allowed + 0.001 * taken.length, `${sum} > ${allowed}`);
          }
        }
      }),
    );
  });

  it('serves whoever waits as long as it was told, and refuses a moment before', () => {
    fc.assert(
      fc.property(rates, steps, (rate, asked) => {
        const bucket = createTokenBucket(rate, 0);
        let atMs = 0;
        for (const [passedMs, cost] of asked) {
          atMs += passedMs;
          const waitMs = bucket.take(cost, atMs);
          assert.ok(Number.isSafeInteger(waitMs) && waitMs >= 0);
          if (waitMs === 0) continue;
          if (waitMs > 1) assert.notEqual(bucket.take(cost, atMs + waitMs - 1), 0);
          atMs += waitMs;
          assert.equal(bucket.take(cost, atMs), 0);
        }
      }),
    );
  });
});
