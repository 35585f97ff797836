// Promise 5 as services have it: four processes with the client's cache, behind connections that are cut, silent and slow,
// at three daemons that are killed meanwhile.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTurns } from './faults.js';
import { BY } from './history.js';
import { assertPromises } from './promises.js';
import { runHistory } from './run-history.js';
import { startStage } from './stage.js';

const { INTROSPECTD_HISTORY_SECONDS } = process.env;
const SECONDS = Number(INTROSPECTD_HISTORY_SECONDS ?? 15);
const LEASE_MS = 2000;
const CACHES = 4;
const HITS_OF_EACH = 1000;

describe('four caches of the client', () => {
  it('are never older than a lease, and empty for who waits for caches', async (t) => {
    const store = { kind: 'lmdb', path: 'data' };
    const stage = await startStage({ store, leaseMs: LEASE_MS, logEntries: 8 });
    t.after(() => stage.close());
    const inTurn = createTurns(stage.targets.length);
    const result = await runHistory({
      stage,
      by: BY,
      leaseMs: LEASE_MS,
      durationMs: SECONDS * 1000,
      processes: { reader: 1, revoker: 2, cache: CACHES },
      caches: 'client-cache',
      atLeast: { readsAfterRevoke: 1000, cacheReads: 2 * CACHES * HITS_OF_EACH, eachFault: 1 },
      faults: ({ cutCache }) => [
        { name: 'kill -9 of a daemon', pauseMs: 5000, inject: () => inTurn(stage.kill) },
        { name: 'connections cut', pauseMs: 3000, inject: async () => cutCache('reset') },
        { name: 'connections slow', pauseMs: 3000, inject: async () => cutCache('delay') },
        { name: 'connections silent', pauseMs: 9000, inject: async () => cutCache('silence') },
      ],
    });
    assertPromises(t, result);
    for (let index = 0; index < CACHES; index++) {
      const hits = result.counts[`cache: ${index} from memory`] ?? 0;
      assert.ok(hits >= HITS_OF_EACH, `cache ${index}: ${hits} answers from memory`);
    }
  });
});
