// A drop is told from noise, and from a run that did not count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, formatGuard, guard } from '../../bench/guard.js';
import type { Part } from '../../bench/parts.js';
import type { PartResult } from '../../bench/report.js';
import type { Ratio } from '../../bench/rounds.js';
import { toSpread } from '../../bench/statistics.js';

const SCHEDULE = { rounds: 5, windowMs: 1, warmUpMs: 1 };

function part(quotients: readonly number[] | undefined, of: Ratio['of'] = 'rates', name = 'batch'): PartResult {
  const quotient = quotients && toSpread(quotients);
  const ratios = [{ name: 'ours', baseline: 'echo', of, quotient }];
  return {
    ...{ name, date: '2026-01-01', size: 'full', schedule: SCHEDULE, figures: [] },
    groups: [{ title: 'Group', rows: [], ratios }],
  };
}

const STEADY = [0.5, 0.51, 0.49, 0.5, 0.5];
const CASES: readonly {
  readonly what: string;
  readonly before: readonly number[];
  readonly now: readonly number[];
  readonly of?: Ratio['of'];
  readonly isDrop: boolean;
}[] = [
  { what: 'the same', before: STEADY, now: STEADY, isDrop: false },
  { what: 'far below', before: STEADY, now: [0.4, 0.41, 0.4, 0.39, 0.4], isDrop: true },
  { what: 'far above', before: STEADY, now: [0.6, 0.61, 0.6, 0.59, 0.6], isDrop: false },
  { what: 'below, but the run wavers as much', before: STEADY, now: [0.4, 0.55, 0.3, 0.45, 0.4], isDrop: false },
  {
    what: 'below, but the committed run wavered as much',
    before: [0.5, 0.38, 0.6, 0.5, 0.5],
    now: [0.4, 0.4, 0.4, 0.4, 0.4],
    isDrop: false,
  },
  { what: 'a latency far above', before: STEADY, now: [0.6, 0.61, 0.6, 0.59, 0.6], of: 'p99', isDrop: true },
  { what: 'a latency far below', before: STEADY, now: [0.4, 0.41, 0.4, 0.39, 0.4], of: 'p99', isDrop: false },
];

for (const { what, before, now, of = 'rates', isDrop } of CASES) {
  test(`${what}: ${isDrop ? 'worse' : 'not worse'}`, () => {
    const { compared, dropped } = compare([part(before, of)], [part(now, of)]);
    assert.equal(compared, 1);
    assert.equal(dropped.length, isDrop ? 1 : 0);
  });
}

test('a ratio of which a side does not count any more is not compared, and told', () => {
  const verdict = compare([part(STEADY)], [part(undefined)]);
  assert.deepEqual(verdict, { compared: 0, dropped: [], notCompared: ['Group: ours / echo'] });
  assert.match(formatGuard(verdict), /not compared: Group: ours/);
});

test('parts that were not measured are not missed', () => {
  assert.deepEqual(compare([part(STEADY), part(STEADY, 'rates', 'writes')], [part(STEADY)]).notCompared, []);
});

const BATCH: Part = { name: 'batch', on: 'each engine', rows: async () => [] };
const WORSE = [0.4, 0.41, 0.4, 0.39, 0.4];

for (const { what, second, drops } of [
  { what: 'comes again', second: WORSE, drops: 1 },
  { what: 'does not come again', second: STEADY, drops: 0 },
]) {
  test(`a drop that ${what}: ${drops}`, async () => {
    const runs = [part(WORSE), part(second)];
    const report = { machine: {} as never, parts: [part(STEADY)] };
    const verdict = await guard(report, [BATCH], async () => [runs.shift() ?? assert.fail('measured a third time')]);
    assert.equal(verdict.dropped.length, drops);
    assert.equal(runs.length, 0);
  });
}

test('without a drop nothing is measured twice', async () => {
  let runs = 0;
  const report = { machine: {} as never, parts: [part(STEADY)] };
  await guard(report, [BATCH], async () => {
    runs++;
    return [part(STEADY)];
  });
  assert.equal(runs, 1);
});
