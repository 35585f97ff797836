import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIssuedBeforeMs } from '../../src/cli/issued-before.js';

const NOW_MS = Date.UTC(2027, 0, 1);

const GOOD: readonly (readonly [text: string, ms: number])[] = [
  ['2026-12-31T23:59:59Z', NOW_MS - 1000],
  ['2026-12-31T23:59:59.5Z', NOW_MS - 500],
  ['2027-01-01T01:00:00+01:00', NOW_MS],
  ['2026-12-31T18:30:00.001-05:30', NOW_MS + 1],
  ['10m', NOW_MS - 600_000],
  ['1d', NOW_MS - 86_400_000],
  ['500ms', NOW_MS - 500],
];
for (const [text, ms] of GOOD) test(text, () => assert.equal(parseIssuedBeforeMs(text, NOW_MS), ms));

const BAD = ['', 'now', 'yesterday', '2027-01-01', '2027-01-01T00:00:00', '2027-02-30T00:00:00Z', '-10m', '10', '10 m'];
const BAD_OFFSETS = ['2027-01-01T00:00:00+1', '2027-01-01T00:00:00+01:60', '2027-01-01T00:00:00Z+01:00', '+01:00'];
for (const text of [...BAD, ...BAD_OFFSETS, '2027-01-01T00:00:00+25:00']) {
  test(`no: ${text}`, () => assert.equal(parseIssuedBeforeMs(text, NOW_MS), undefined));
}
