// What counts, what does not, and what ratios are made of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Measurement, type Row, runGroup, summarize, toRatio, type Verdict } from '../../bench/rounds.js';

const FULL: Measurement = { perSecond: 100, failed: 0, cores: 1, waiting: 0 };

function summary(name: string, ...rounds: readonly Partial<Measurement>[]) {
  return summarize(
    { name, unit: 'calls' },
    rounds.map((round) => ({ ...FULL, ...round })),
  );
}

const VERDICTS: readonly { readonly what: string; readonly round: Partial<Measurement>; readonly verdict: Verdict }[] =
  [
    { what: 'a server that used a whole processor', round: { cores: 1.1 }, verdict: 'counts' },
    { what: 'just enough', round: { cores: 0.95 }, verdict: 'counts' },
    { what: 'a server that had nothing to do', round: { cores: 0.94 }, verdict: 'not saturated' },
    {
      what: 'a server that others kept from running',
      round: { cores: 0.7, waiting: 0.3 },
      verdict: 'not saturated (machine busy)',
    },
    { what: 'answers that were not OK', round: { failed: 1 }, verdict: 'calls failed' },
  ];

for (const { what, round, verdict } of VERDICTS) {
  test(`${what}: ${verdict}`, () => {
    assert.equal(summary('row', round).verdict, verdict);
  });
}

test('one call at a time: counts, unless it failed', () => {
  const row = { name: 'row', unit: 'calls', oneAtATime: true } as const;
  assert.equal(summarize(row, [{ ...FULL, cores: 0.1 }]).verdict, 'counts');
  assert.equal(summarize(row, [{ ...FULL, cores: 0.1, failed: 1 }]).verdict, 'calls failed');
});

test('a failure in one round is one of the row', () => {
  assert.equal(summary('row', {}, { failed: 1 }, {}).verdict, 'calls failed');
});

test('processor time is of one call, round by round', () => {
  const row = summary('row', { perSecond: 10_000, cores: 1 }, { perSecond: 5000, cores: 0.5 }, { perSecond: 100 });
  assert.equal(row.cpuUs, 100);
});

test('a ratio is of the quotients within each round', () => {
  const ours = summary('ours', { perSecond: 50 }, { perSecond: 10 }, { perSecond: 40 });
  const echo = summary('echo', { perSecond: 100 }, { perSecond: 10 }, { perSecond: 100 });
  assert.deepEqual(toRatio(ours, echo).quotient, { median: 0.5, min: 0.4, max: 1, mad: 0.09999999999999998 });
});

const ON_TIME = { p50Ms: 1, p99Ms: 4, p999Ms: 9, lateP99Ms: 0.1 };
const TIMED: readonly { readonly what: string; readonly round: Partial<Measurement>; readonly verdict: Verdict }[] = [
  { what: 'a server that has little to do', round: { cores: 0.1 }, verdict: 'counts' },
  { what: 'fewer answers than questions', round: { perSecond: 97 }, verdict: 'fell behind' },
  { what: 'revocations beside it that did not come', round: { keptUp: false }, verdict: 'fell behind' },
  { what: 'calls that failed', round: { failed: 1 }, verdict: 'calls failed' },
  {
    what: 'a generator that was late itself',
    round: { latency: { ...ON_TIME, lateP99Ms: 2.1 } },
    verdict: 'load came late',
  },
  { what: 'a server that others kept from running', round: { waiting: 0.3 }, verdict: 'machine busy' },
];

function timed(name: string, ...rounds: readonly Partial<Measurement>[]) {
  return summarize(
    { name, unit: 'calls', timedAt: 100 },
    rounds.map((round) => ({ ...FULL, latency: ON_TIME, ...round })),
  );
}

for (const { what, round, verdict } of TIMED) {
  test(`at a fixed rate, ${what}: ${verdict}`, () => {
    assert.equal(timed('row', round).verdict, verdict);
  });
}

test('at a fixed rate, busy on purpose: counts, unless calls failed or fell behind', () => {
  const judge = (round: Partial<Measurement>) =>
    summarize({ name: 'row', unit: 'calls', timedAt: 100, busyOnPurpose: true }, [
      { ...FULL, latency: { ...ON_TIME, lateP99Ms: 2.1 }, waiting: 0.3, ...round },
    ]).verdict;
  assert.equal(judge({}), 'counts');
  assert.equal(judge({ failed: 1 }), 'calls failed');
  assert.equal(judge({ perSecond: 97 }), 'fell behind');
});

test('a ratio of rows at fixed rates is of their 99th percentiles', () => {
  const ratio = toRatio(timed('ours', { latency: { ...ON_TIME, p99Ms: 6 } }), timed('peer', {}));
  assert.equal(ratio.of, 'p99');
  assert.equal(ratio.quotient?.median, 1.5);
});

test('no ratio with a side that does not count', () => {
  const [full, idle] = [summary('full', {}), summary('idle', { cores: 0.5 })];
  assert.equal(toRatio(full, idle).quotient, undefined);
  assert.equal(toRatio(idle, full).quotient, undefined);
});

test('rows take turns', async () => {
  const turns: string[] = [];
  const toRow = (name: string): Row => ({
    name,
    unit: 'calls',
    pid: process.pid,
    run: async () => {
      turns.push(name);
      return { perSecond: 1, failed: 0 };
    },
  });
  await runGroup({ title: 'group', rows: ['A', 'B'].map(toRow) }, { rounds: 2, windowMs: 300, warmUpMs: 1 });
  assert.equal(turns.join(' '), 'A B A B A B');
});

test('a ratio to a row that is not in the group is a mistake', async () => {
  const run = async () => ({ perSecond: 1, failed: 0 });
  const row: Row = { name: 'A', unit: 'calls', pid: process.pid, baselines: ['B'], run };
  await assert.rejects(
    runGroup({ title: 'group', rows: [row] }, { rounds: 1, windowMs: 300, warmUpMs: 1 }),
    /no row B/,
  );
});
