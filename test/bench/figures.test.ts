import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFigureRows } from '../../bench/figures.js';
import { formatFigures } from '../../bench/format-report.js';

test('a figure is the median of its samples, and stands in the table with its unit and its goal', () => {
  const samples = [
    { bytes: 34.25, lookNs: 1500 },
    { bytes: 36, lookNs: 90 },
    { bytes: 35, lookNs: 250 },
  ];
  const rows = toFigureRows(samples, {
    bytes: { name: 'memory', unit: 'B', goal: '40 B at most' },
    lookNs: { name: 'look', unit: 'ns' },
  });
  assert.deepEqual(formatFigures({ title: 'A table', rows }).split('\n'), [
    '### A table',
    '',
    '| figure | median | min .. max    | goal         |',
    '| ------ | ------ | ------------- | ------------ |',
    '| memory | 35.0 B | 34.3 .. 36.0  | 40 B at most |',
    '| look   | 250 ns | 90.0 .. 1,500 |              |',
  ]);
});
