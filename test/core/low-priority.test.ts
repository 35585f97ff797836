// When low priority gets the processor, on a clock and a schedule of the test's own.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLowPriority, inSlices, type Job } from '../../src/core/low-priority.js';

const OVERLOADED = { reason: 'OVERLOADED', retryDelayMs: 1000 };

describe('low priority', () => {
  it('gets one slice a turn of the event loop while nothing else is to do', async () => {
    const { lowPriority, turn, log } = setUp();
    for (const name of ['a', 'b']) ask(lowPriority.enter('job'), name, log);
    for (const expected of [['a'], ['a', 'b'], ['a', 'b']]) {
      await turn();
      assert.deepEqual(log, expected);
    }
  });

  it('waits while a live call is under way, and starves no longer than 5 ms', async () => {
    const world = setUp();
    const { lowPriority, turn, log } = world;
    const job = lowPriority.enter('job');
    ask(job, 'first', log);
    await turn();
    world.live = 1;
    ask(job, 'second', log);
    for (let ms = 0; ms < 4; ms++) {
      await turn();
      world.nowMs += 1;
    }
    assert.deepEqual(log, ['first']);
    world.nowMs += 1;
    await turn();
    assert.deepEqual(log, ['first', 'second']);
    ask(job, 'third', log);
    await turn();
    assert.deepEqual(log, ['first', 'second'], 'the next one waits again');
    world.live = 0;
    await turn();
    assert.deepEqual(log, ['first', 'second', 'third']);
  });

  it('does not look at every turn for ever', async () => {
    const world = setUp();
    const job = world.lowPriority.enter('job');
    ask(job, 'first', world.log);
    await world.turn();
    world.live = 1;
    ask(job, 'second', world.log);
    for (let look = 0; look < 6; look++) await world.turn();
    assert.deepEqual(world.delays, [0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('callers take turns, jobs of one are served as they came', async () => {
    const { lowPriority, turn, log } = setUp();
    for (const name of ['a1', 'a2', 'a3']) ask(lowPriority.enter('a'), name, log);
    for (const name of ['b1', 'b2']) ask(lowPriority.enter('b'), name, log);
    for (let slice = 0; slice < 5; slice++) await turn();
    assert.deepEqual(log, ['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('is shed from as many live calls on', () => {
    const world = setUp();
    world.live = 9;
    world.lowPriority.enter('a').leave();
    world.live = 10;
    assert.throws(() => world.lowPriority.enter('a'), OVERLOADED);
    assert.equal(world.lowPriority.size(), 0);
  });

  it('has room for so many jobs, half of them of one caller', () => {
    const { lowPriority } = setUp();
    const jobs = Array.from({ length: 32 }, () => lowPriority.enter('a'));
    assert.throws(() => lowPriority.enter('a'), OVERLOADED);
    for (let job = 0; job < 32; job++) lowPriority.enter('b');
    assert.throws(() => lowPriority.enter('c'), OVERLOADED);
    jobs.pop()?.leave();
    lowPriority.enter('a');
    assert.equal(lowPriority.size(), 64);
  });

  it('slices are in order, each when it may run', async () => {
    const taken: unknown[] = [];
    const pace = { turn: async () => void taken.push('turn') };
    for await (const slice of inSlices([1, 2, 3, 4, 5], 2, pace)) taken.push(slice);
    assert.deepEqual(taken, ['turn', [1, 2], 'turn', [3, 4], 'turn', [5]]);
  });
});

function ask(job: Job, name: string, log: string[]): void {
  void job.turn().then(() => log.push(name));
}

function setUp() {
  const tasks: (() => void)[] = [];
  const state = { live: 0, nowMs: 1000 };
  const delays: number[] = [];
  const lowPriority = createLowPriority({
    liveCalls: () => state.live,
    shedAt: 10,
    schedule: (task, delayMs) => {
      delays.push(delayMs);
      tasks.push(task);
    },
    now: () => state.nowMs,
  });
  /** One turn of the event loop: what was scheduled before it. */
  const turn = async () => {
    for (const task of tasks.splice(0)) task();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return Object.assign(state, { delays, lowPriority, turn, log: [] as string[] });
}
