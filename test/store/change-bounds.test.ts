// A change of the bounds that is cut off anywhere leaves a store that reckons with more than it lets in.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { BoundsChange } from '../../src/core/token-store.js';
import { type BoundsEngine, changeBounds } from '../../src/store/change-bounds.js';
import { leasesEndInMs, revocationEndMs } from '../../src/store/store-lifetimes.js';
import { createSettings, type StoreSettings, toMeta } from '../../src/store/store-meta.js';
import { unavailable } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';

const STEP_MS = 10;
const FIRST = { maxTokenTtlMs: 10_000, leaseMs: 400 };
const CHANGES: readonly BoundsChange[] = [
  { maxTokenTtlMs: 30_000 },
  { maxTokenTtlMs: 1000 },
  { leaseMs: 2000 },
  { leaseMs: 100 },
];

interface Said {
  readonly atMs: number;
  endMs: number;
}

interface LetIn {
  readonly atMs: number;
  readonly ttlMs: number;
  readonly oldestIssueMs: number;
}

/** A store of nothing but revocations, on which one is said in every step; time goes on. `cutAt`: the step that fails. */
class Stage implements BoundsEngine {
  settings: StoreSettings;
  nowMs = START_MS;
  cutAt = Number.POSITIVE_INFINITY;
  steps = 0;
  readonly said: Said[] = [];
  readonly letIn: LetIn[] = [];
  /** The end of the last lease that was granted. */
  leasesEndMs = 0;

  /** `ageMs`: how old the store is. */
  constructor(ageMs: number) {
    const options = makeOptions({ clockMs: START_MS });
    this.settings = createSettings({ ...options, defaults: { ...FIRST, partitions: 1 } }, START_MS);
    for (let step = 0; step < 20; step++) {
      this.live();
      this.nowMs += ageMs / 20;
    }
  }

  update: BoundsEngine['update'] = async (step) => {
    this.#go();
    this.settings = step(this.settings, this.nowMs);
    this.live();
  };

  extend: BoundsEngine['extend'] = async (endMs) => {
    this.#go();
    const short = this.said.filter((one) => one.endMs > this.nowMs && one.endMs < endMs).slice(0, 2);
    for (const one of short) one.endMs = endMs;
    this.live();
    return short.length > 0;
  };

  /** A revocation, a token and a lease, each as long as it may be; then what must hold. */
  live(): void {
    this.nowMs += STEP_MS;
    const { settings, nowMs } = this;
    this.said.push({ atMs: nowMs, endMs: revocationEndMs(settings, nowMs) });
    this.letIn.push({ atMs: nowMs, ttlMs: settings.maxTokenTtlMs, oldestIssueMs: settings.oldestIssueMs });
    this.leasesEndMs = Math.max(this.leasesEndMs, nowMs + settings.leaseMs);
    for (const { atMs, endMs } of this.said) {
      // Of the tokens that it concerns, those issued just before it last longest, whenever they were let in.
      const tokens = this.letIn.map(({ atMs: letInMs, ttlMs, oldestIssueMs }) => {
        const issuedMs = Math.min(atMs, letInMs);
        return issuedMs < oldestIssueMs ? 0 : issuedMs + ttlMs;
      });
      assert.ok(
        tokens.every((tokenEndMs) => tokenEndMs <= endMs),
        'a revocation outlives what it concerns',
      );
    }
    assert.ok(nowMs + leasesEndInMs(settings, nowMs) >= this.leasesEndMs, 'every lease is waited for');
  }

  #go(): void {
    this.steps += 1;
    if (this.steps === this.cutAt) throw new StoreUnavailable('cut off');
  }
}

async function countSteps(change: BoundsChange, ageMs: number): Promise<number> {
  const stage = new Stage(ageMs);
  await changeBounds(stage, change);
  return stage.steps;
}

describe('a change of the bounds', () => {
  const rows = CHANGES.flatMap((change) => [0, 2 * FIRST.maxTokenTtlMs].map((ageMs) => ({ change, ageMs })));
  for (const { change, ageMs } of rows) {
    const name = `${JSON.stringify(change)} of a store ${ageMs} ms old`;
    test(`${name} may be cut off at every step, go on, and be made again or another one`, async () => {
      const steps = await countSteps(change, ageMs);
      for (let cutAt = 1; cutAt <= steps; cutAt++) {
        for (const next of [change, ...CHANGES]) {
          const stage = new Stage(ageMs);
          stage.cutAt = cutAt;
          await assert.rejects(changeBounds(stage, change), unavailable(/cut off/));
          for (let index = 0; index < 5; index++) stage.live();
          // A raised lease is whole with its first step.
          const isWhole = 'leaseMs' in change && change.leaseMs > FIRST.leaseMs;
          assert.equal(toMeta(stage.settings, stage.nowMs).isChanging, cutAt > 1 && !isWhole);
          await changeBounds(stage, next);
          for (let index = 0; index < 5; index++) stage.live();
          const { longest, ...settings } = stage.settings;
          assert.deepEqual({ ...settings, ...next }, settings, 'it is in force');
          if ('leaseMs' in next === 'leaseMs' in change) {
            assert.deepEqual(longest, { tokenTtlMs: settings.maxTokenTtlMs, leaseMs: settings.leaseMs });
          }
        }
      }
    });
  }

  test('is given up when another one came in between', async () => {
    const stage = new Stage(0);
    const extend = stage.extend;
    let other: Promise<void> | undefined;
    stage.extend = async (endMs) => {
      other ??= changeBounds({ update: stage.update, extend }, { maxTokenTtlMs: 5000 });
      await other;
      return extend(endMs);
    };
    await assert.rejects(changeBounds(stage, { maxTokenTtlMs: 30_000 }), unavailable(/another change/));
    assert.equal(stage.settings.maxTokenTtlMs, 5000);
  });
});
