// How far a job is, for whoever reads a log.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startProgress } from '../../src/cli/progress.js';

test('a line every ten seconds, with rate and time left; and none after the end', (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const pass = (seconds: number) => {
    nowMs += seconds * 1_000;
    mock.timers.tick(seconds * 1_000);
  };
  const progress = startProgress(100_000, 0);
  pass(9);
  assert.deepEqual(written, []);
  progress.advance(1_234_567, 25_000);
  pass(1);
  assert.deepEqual(written, ['25%, 1,234,567 rows, 123,457/s, 30s left\n']);
  pass(10);
  assert.equal(written.at(-1), '25%, 1,234,567 rows, 61,728/s, 1m0s left\n');
  progress.stop();
  pass(60);
  assert.equal(written.length, 2);
});

test('of an input whose length nobody knows: what was done', (t) => {
  const written: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
  let nowMs = 1_000;
  t.mock.method(performance, 'now', () => nowMs);
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const progress = startProgress(0);
  progress.advance(500, 0);
  nowMs += 10_000;
  mock.timers.tick(10_000);
  assert.deepEqual(written, ['500 rows, 50/s\n']);
  progress.stop();
});
