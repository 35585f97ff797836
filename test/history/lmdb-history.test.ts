// Promises 1 to 5 on one LMDB folder: nothing that three daemons tell sixteen processes, while faults come, goes against
// them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTurns } from './faults.js';
import { BY } from './history.js';
import { assertHistory, HISTORY } from './promises.js';
import { runHistory } from './run-history.js';
import { startStage } from './stage.js';

/** A daemon that was stopped misses more than the log keeps. */
const LOG_ENTRIES = 8;

describe('three daemons on one LMDB folder', () => {
  it('keep the promises while faults come', async (t) => {
    const store = { kind: 'lmdb', path: 'data' };
    const stage = await startStage({ store, leaseMs: HISTORY.leaseMs, logEntries: LOG_ENTRIES });
    t.after(() => stage.close());
    const inTurn = createTurns(stage.targets.length);
    const result = await runHistory({
      ...HISTORY,
      stage,
      by: BY,
      faults: ({ cutCache }) => [
        { name: 'kill -9 of a daemon', pauseMs: 3000, inject: () => inTurn(stage.kill) },
        {
          name: 'SIGSTOP of a daemon for longer than a lease',
          pauseMs: 3000,
          inject: () => inTurn((daemon) => stage.freeze(daemon, HISTORY.freezeMs)),
        },
        { name: 'a watch cut', pauseMs: 7000, inject: async () => cutCache('reset') },
        { name: 'a watch that hears nothing', pauseMs: 8000, inject: async () => cutCache('silence') },
      ],
    });
    assertHistory(t, result);
    const trimmed = Math.floor((result.counts['revocations acknowledged'] ?? 0) / LOG_ENTRIES);
    assert.ok(trimmed >= HISTORY.atLeast.eachFault, `the log was trimmed to ${LOG_ENTRIES} entries ${trimmed} times`);
  });
});
