import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDurationMs } from '../../src/config/duration.js';

const GOOD: readonly (readonly [text: string, ms: number, printed?: string])[] = [
  ['0s', 0, '0ms'],
  ['1ms', 1],
  ['200ms', 200],
  ['1000ms', 1000, '1s'],
  ['60s', 60_000, '1m'],
  ['90s', 90_000],
  ['10m', 600_000],
  ['24h', 86_400_000, '1d'],
  ['30d', 2_592_000_000],
  ['999999999d', 86_399_999_913_600_000],
];

test('durations are a whole number and a unit', async (t) => {
  for (const [text, ms, printed = text] of GOOD) {
    await t.test(text, () => {
      assert.equal(parseDurationMs(text), ms);
      assert.equal(formatDuration(ms), printed);
    });
  }
});

const BAD = [
  '',
  '10',
  'm',
  '10 m',
  ' 10m',
  '10m ',
  '1.5s',
  '-1s',
  '+1s',
  '1e3s',
  '10M',
  '1h30m',
  '10y',
  '0x1s',
  '1000000000s',
  '١s',
];

test('anything else is none', async (t) => {
  for (const text of BAD) await t.test(JSON.stringify(text), () => assert.equal(parseDurationMs(text), undefined));
});
