import assert from 'node:assert/strict';

/** Resolves when the condition holds; fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > endMs) assert.fail('it did not come to it');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
