// The same without faults, in a few seconds: enough to see a daemon that judges by what it knew a moment ago.
import { describe, it } from 'node:test';
import { assertPromises, HISTORY } from './promises.js';
import { runHistory } from './run-history.js';
import { startStage } from './stage.js';

describe('three daemons on one LMDB folder, without faults', () => {
  it('keep the promises', async (t) => {
    const store = { kind: 'lmdb', path: 'data' };
    const stage = await startStage({ store, leaseMs: HISTORY.leaseMs, logEntries: 1000 });
    t.after(() => stage.close());
    const result = await runHistory({
      stage,
      by: ['token', 'grant', 'session', 'subject', 'client'],
      leaseMs: HISTORY.leaseMs,
      processes: { reader: 3, revoker: 1, cache: 1 },
      faults: () => [],
      durationMs: 4000,
      atLeast: { readsAfterRevoke: 200, cacheReads: 20, eachFault: 0 },
    });
    assertPromises(t, result);
  });
});
