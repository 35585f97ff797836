import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureProcessorUse, parseCpuSeconds, readRssAnonKib } from '../../bench/cpu.js';

test('user and system time are found behind a name with spaces and parentheses', () => {
  const stat = '42 (a ) b (c) S 1 42 42 0 -1 4194560 900 0 0 0 150 50 7 7 20 0 11 0 12345 1000 200';
  assert.equal(parseCpuSeconds(stat), 2);
});

test('memory of this process', () => {
  assert.ok(readRssAnonKib(process.pid) > 1000);
});

test('a process that sleeps uses next to nothing, and this one is such', async () => {
  const { cores } = await measureProcessorUse(process.pid, 500);
  assert.ok(cores < 0.5, `${cores}`);
});
