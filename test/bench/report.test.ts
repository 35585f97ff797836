// What is made of measurements: one report of several runs, bounds, the picture.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BOUNDS, type Bound, judgeBound } from '../../bench/bounds.js';
import { formatSvg } from '../../bench/chart/format-svg.js';
import { toPanels } from '../../bench/chart/panels.js';
import { formatMarkdown } from '../../bench/format-markdown.js';
import { selectParts } from '../../bench/parts.js';
import { describeMachine, mergeParts, type PartResult, type Report } from '../../bench/report.js';
import { readReport, toDocuments } from '../../bench/report-files.js';
import { type Measurement, summarize, toRatio } from '../../bench/rounds.js';
import { toIntrospectTitle } from '../../bench/scenarios/introspect.js';
import { toRowName } from '../../bench/scenarios/sides.js';
import { toSpread } from '../../bench/statistics.js';

const MACHINE = describeMachine();

function toPart(name: string, date: string, groups: PartResult['groups'] = []): PartResult {
  return { name, date, size: 'full', schedule: { rounds: 3, windowMs: 1000, warmUpMs: 1 }, groups, figures: [] };
}

function toRow(name: string, perSecond: number, cores = 1) {
  const round: Measurement = { perSecond, failed: 0, cores, waiting: 0 };
  return summarize({ name, unit: 'calls' }, [round, round, round]);
}

/** Introspect at so much of the echo, on LMDB over mutual TLS. */
function toReport(share: number, cores = 1): Report {
  const [echo, ours] = [
    toRow(toRowName('echo', 'mutual TLS'), 20_000),
    toRow(toRowName('whole', 'mutual TLS'), 20_000 * share, cores),
  ];
  const title = toIntrospectTitle(100, 'lmdb');
  const groups = [{ title, rows: [echo, ours], ratios: [toRatio(ours, echo)] }];
  return { machine: MACHINE, parts: [toPart('introspect', '2026-01-01', groups)] };
}

test('a part that was measured again replaces the older one, and the others stay', () => {
  const old: Report = { machine: MACHINE, parts: [toPart('introspect', '2026-01-01'), toPart('batch', '2026-01-01')] };
  const { parts } = mergeParts(old, MACHINE, [toPart('batch', '2026-01-02'), toPart('writes', '2026-01-02')]);
  assert.deepEqual(
    parts.map(({ name, date }) => `${name} ${date}`),
    ['introspect 2026-01-01', 'batch 2026-01-02', 'writes 2026-01-02'],
  );
});

test('figures of two machines do not go into one report', () => {
  const old: Report = { machine: { ...MACHINE, cores: MACHINE.cores + 1 }, parts: [] };
  assert.throws(() => mergeParts(old, MACHINE, []), /another machine \(cores\)/);
});

test('a part that is not there is a mistake, and those that are there are named', () => {
  assert.match(String(selectParts(['batches'], 'full')), /no part batches; there are introspect, /);
  const parts = selectParts(['store-size'], 'quick');
  assert.deepEqual(typeof parts === 'string' ? parts : parts.map(({ name }) => name), ['store-size']);
});

test('the document and the picture are those of the report that is committed (npm run bench -- --format)', () => {
  for (const { file, text } of toDocuments(readReport())) assert.equal(readFileSync(file, 'utf8'), text, file.pathname);
});

const OF_ECHO = 'unary Introspect / grpc-js echo, mutual TLS, lmdb';

for (const { report, verdict } of [
  { report: toReport(0.96), verdict: 'goal met' },
  { report: toReport(0.9), verdict: 'met' },
  { report: toReport(0.8), verdict: 'not met' },
  { report: toReport(0.9, 0.5), verdict: 'excluded' },
  { report: { machine: MACHINE, parts: [] }, verdict: 'not measured' },
]) {
  test(`the bound on the share of the echo: ${verdict}`, () => {
    const bound = BOUNDS.find(({ what }) => what === OF_ECHO) ?? assert.fail('no such bound');
    assert.equal(judgeBound(bound, report).verdict, verdict);
  });
}

for (const { is, median, verdict } of [
  { is: 'at most', median: 1.5, verdict: 'met' },
  { is: 'at most', median: 1.51, verdict: 'not met' },
  { is: 'below', median: 1.5, verdict: 'not met' },
  { is: 'at least', median: 1.49, verdict: 'not met' },
] as const) {
  test(`${median} is ${is} 1.5: ${verdict}`, () => {
    const bound: Bound = { what: 'x', is, bound: 1.5, find: () => toSpread([median]) };
    assert.equal(judgeBound(bound, toReport(1)).verdict, verdict);
  });
}

test('the document shows the picture, the bounds and every table', () => {
  const text = formatMarkdown(toReport(0.9));
  assert.match(text, /!\[.*\]\(benchmarks\.svg\)/);
  assert.match(
    text,
    /\| unary Introspect \/ grpc-js echo, mutual TLS, lmdb +\| at least 0\.85 \| 0\.95 \| 0\.90 +\| .* \| met +\|/,
  );
  assert.match(text, /### Introspect, 100 concurrent, lmdb/);
});

test('the longest bar is that of the most, and others are in proportion', () => {
  const svg = formatSvg(toPanels(toReport(0.5)), MACHINE);
  const widths = [...svg.matchAll(/<rect class="(ceiling|ours)" [^>]*width="(\d+)"/g)].map(([, whose, width]) => [
    whose,
    Number(width),
  ]);
  assert.equal(widths.length, 2);
  const [[, echo = 0] = [], [, ours = 0] = []] = widths;
  assert.equal(Number(ours) * 2, Number(echo));
});

test('a row that does not count is pale in the picture, and it is said why', () => {
  const svg = formatSvg(toPanels(toReport(0.5, 0.5)), MACHINE);
  assert.match(svg, /class="ours unsure"/);
  assert.match(svg, />Pale: /);
  assert.doesNotMatch(formatSvg(toPanels(toReport(0.5)), MACHINE), />Pale: /);
});
