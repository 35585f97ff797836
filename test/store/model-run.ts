import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MakeHarness, RING, START_MS } from './harness.js';
import { StoreModel } from './model.js';
import { MUST_HAPPEN, storeCommands } from './model-commands.js';
import { createModelServer } from './model-server.js';
import type { Real } from './model-step.js';

const LOG_ENTRIES = 12;
const MAX_COMMANDS = 60;
/** From so many runs on, a thing that did not happen has become rare, and is not bad luck. */
const ENOUGH_RUNS = 200;
const { INTROSPECTD_SEED, INTROSPECTD_PATH, INTROSPECTD_REPLAY_PATH, INTROSPECTD_MODEL_RUNS } = process.env;

/**
 * Random histories against the plain model. A failure prints seed, path and replayPath; INTROSPECTD_SEED,
 * INTROSPECTD_PATH and INTROSPECTD_REPLAY_PATH run it again, INTROSPECTD_MODEL_RUNS runs more of them.
 */
export function testAgainstModel(name: string, makeHarness: MakeHarness, runs: number): void {
  test(`${name} does what the model does`, async (t) => {
    const seed = INTROSPECTD_SEED === undefined ? Date.now() : Number(INTROSPECTD_SEED);
    const numRuns = INTROSPECTD_MODEL_RUNS === undefined ? runs : Number(INTROSPECTD_MODEL_RUNS);
    t.diagnostic(`INTROSPECTD_SEED=${seed} ${numRuns} runs`);
    const replayPath = INTROSPECTD_REPLAY_PATH === undefined ? {} : { replayPath: INTROSPECTD_REPLAY_PATH };
    const histories = fc.commands(storeCommands, { maxCommands: MAX_COMMANDS, size: 'max', ...replayPath });
    const counts = new Map<string, number>();
    const property = fc.asyncProperty(histories, async (history) => {
      const harness = await makeHarness({ logEntries: LOG_ENTRIES });
      try {
        const model = new StoreModel(START_MS, LOG_ENTRIES);
        model.open(0);
        const first = createModelServer({ store: harness.store, keyRing: RING, now: () => harness.clockMs });
        const real: Real = { harness, servers: [first, undefined], counts };
        await fc.asyncModelRun(() => ({ model, real }), history);
        await harness.assertSound();
      } finally {
        await harness.close();
      }
    });
    const path = INTROSPECTD_PATH === undefined ? {} : { path: INTROSPECTD_PATH };
    await fc.assert(property, { seed, numRuns, ...path });
    const all = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    t.diagnostic(all.map(([what, times]) => `${what} ${times}`).join(', '));
    if (numRuns < ENOUGH_RUNS || INTROSPECTD_PATH !== undefined) return;
    const rare = MUST_HAPPEN.filter((what) => (counts.get(what) ?? 0) < numRuns / 100);
    assert.deepEqual(rare, [], 'each thing happens often enough to be tested');
  });
}
