import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile, toSpread } from '../../bench/statistics.js';

const MEDIANS: readonly { readonly of: readonly number[]; readonly is: number }[] = [
  { of: [5], is: 5 },
  { of: [3, 1], is: 2 },
  { of: [9, 1, 5], is: 5 },
  { of: [10, 9, 100, 1], is: 9.5 },
];

for (const { of, is } of MEDIANS) {
  test(`the median of ${of.join(', ')} is ${is}`, () => {
    assert.equal(median(of), is);
  });
}

test('numbers are not sorted as text, and the list stays as it was', () => {
  const values = [100, 20, 3];
  assert.equal(median(values), 20);
  assert.deepEqual(values, [100, 20, 3]);
});

test('one bad round moves the range and not the deviation', () => {
  assert.deepEqual(toSpread([100, 102, 98, 101, 5]), { median: 100, min: 5, max: 102, mad: 2 });
});

test('there is no median of nothing', () => {
  assert.throws(() => median([]));
});

test('of a hundred calls the 99th percentile is the second slowest', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(values, 0.99), 99);
  assert.equal(percentile(values, 0.5), 50);
  assert.equal(percentile([7], 0.99), 7);
  assert.throws(() => percentile([], 0.99));
});
