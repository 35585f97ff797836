import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_MS = 60_000;

/** Resolves when the condition holds; fails after a minute. For what other processes do, on a machine that is busy. */
export async function eventually(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + LONGEST_MS;
  while (!condition()) {
    if (performance.now() > endMs) assert.fail('it did not come to it');
    await sleep(5);
  }
}
