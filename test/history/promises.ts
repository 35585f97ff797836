// How long a history is, and what must hold after it. INTROSPECTD_HISTORY_SECONDS makes it longer.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HistoryResult } from './run-history.js';

const { INTROSPECTD_HISTORY_SECONDS } = process.env;
const SECONDS = Number(INTROSPECTD_HISTORY_SECONDS ?? 30);
const LONG_SECONDS = 120;
const LEASE_MS = 1000;

/** Of both stores. */
export const HISTORY = {
  leaseMs: LEASE_MS,
  freezeMs: LEASE_MS + 500,
  durationMs: SECONDS * 1000,
  processes: { reader: 8, revoker: 2, cache: 2 },
  atLeast:
    SECONDS >= LONG_SECONDS
      ? { readsAfterRevoke: 20_000, cacheReads: 1000, eachFault: 3 }
      : { readsAfterRevoke: 5000, cacheReads: 50, eachFault: 3 },
} as const;

const SHOWN = 5;

/** With each fault often enough, and so many reads after a revoke that a stale one would have been among them. */
export function assertHistory(t: TestContext, result: HistoryResult): void {
  const { faults, readsAfterRevoke, cacheReads } = result;
  assertPromises(t, result);
  for (const [what, count] of Object.entries(faults)) {
    assert.ok(count >= HISTORY.atLeast.eachFault, `${what}: ${count} times`);
  }
  assert.ok(readsAfterRevoke >= HISTORY.atLeast.readsAfterRevoke, `${readsAfterRevoke} reads after a revoke`);
  assert.ok(cacheReads >= HISTORY.atLeast.cacheReads, `${cacheReads} reads answered by caches`);
}

export function assertPromises(t: TestContext, result: HistoryResult): void {
  const { violations, faults, counts, readsAfterRevoke, cacheReads } = result;
  const all = {
    ...counts,
    'reads answered by caches': cacheReads,
    'reads asked after an acknowledged revoke': readsAfterRevoke,
    violations: violations.length,
    ...faults,
  };
  for (const [what, count] of Object.entries(all)) t.diagnostic(`${what}: ${count}`);
  assert.ok(readsAfterRevoke > 0, 'something was asked after a revoke');
  assert.deepEqual(violations.slice(0, SHOWN), [], `${violations.length} violations`);
}
