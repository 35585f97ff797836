// The tables: of Markdown, so that the terminal and docs/benchmarks.md show the same.
import type { JudgedBound } from './bounds.js';
import type { FigureGroup } from './figures.js';
import type { GroupResult, LatencyResult, Ratio, RowResult } from './rounds.js';
import type { Spread } from './statistics.js';

const ROW_HEAD = ['row', 'median /s', 'min .. max', 'MAD', 'server CPU', 'CPU each', 'waited', 'verdict'];
const LATENCY_HEAD = ['row', 'p50', 'p99', 'min .. max', 'load late', 'rate', 'server CPU', 'waited', 'verdict'];
const RATIO_HEAD = ['ratio', 'median', 'min .. max'];
const BOUND_HEAD = ['what', 'bound', 'goal', 'median', 'min .. max', 'verdict'];
const FIGURE_HEAD = ['figure', 'median', 'min .. max', 'goal'];

export function formatGroup({ title, rows, ratios }: GroupResult): string {
  const rates = rows.filter(({ latency }) => latency === undefined);
  const timed = rows.flatMap(({ latency, ...row }) => (latency === undefined ? [] : [toLatencyCells(row, latency)]));
  const tables: string[] = [];
  if (rates.length > 0) tables.push(formatTable([ROW_HEAD, ...rates.map(toRowCells)]));
  if (timed.length > 0) tables.push(formatTable([LATENCY_HEAD, ...timed]));
  if (ratios.length > 0) tables.push(formatTable([RATIO_HEAD, ...ratios.map(toRatioCells)]));
  return `### ${title}\n\n${tables.join('\n\n')}`;
}

export function formatFigures({ title, rows }: FigureGroup): string {
  const cells = rows.map(({ name, unit, value, goal = '' }) => [
    name,
    `${toFigure(value.median)} ${unit}`,
    `${toFigure(value.min)} .. ${toFigure(value.max)}`,
    goal,
  ]);
  return `### ${title}\n\n${formatTable([FIGURE_HEAD, ...cells])}`;
}

export function formatBounds(bounds: readonly JudgedBound[]): string {
  const cells = bounds.map(({ bound: { what, is, bound, goal }, measured, verdict }) => [
    what,
    `${is} ${bound}`,
    goal === undefined ? '' : String(goal),
    measured === undefined ? '' : toQuantity(measured.median),
    measured === undefined ? '' : `${toQuantity(measured.min)} .. ${toQuantity(measured.max)}`,
    verdict === 'not met' ? '**not met**' : verdict,
  ]);
  return formatTable([BOUND_HEAD, ...cells]);
}

function formatTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (cells: readonly string[]) => `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows].map(toLine).join('\n');
}

function toRowCells({ name, unit, perSecond, cores, cpuUs, waiting, failed, verdict }: RowResult): readonly string[] {
  return [
    name,
    `${toInteger(perSecond.median)} ${unit}`,
    `${toInteger(perSecond.min)} .. ${toInteger(perSecond.max)}`,
    toPercent(perSecond.mad / perSecond.median),
    `${cores.toFixed(2)} cores`,
    `${toFigure(cpuUs)} us`,
    toPercent(waiting),
    verdict === 'calls failed' ? `${failed} calls failed` : verdict,
  ];
}

function toLatencyCells(row: Omit<RowResult, 'latency'>, latency: LatencyResult): readonly string[] {
  const { p50Ms, p99Ms, lateMs } = latency;
  return [
    row.name,
    `${p50Ms.median.toFixed(2)} ms`,
    `${p99Ms.median.toFixed(2)} ms`,
    `${p99Ms.min.toFixed(2)} .. ${p99Ms.max.toFixed(2)}`,
    `${lateMs.toFixed(2)} ms`,
    `${toInteger(row.perSecond.median)} /s`,
    `${row.cores.toFixed(2)} cores`,
    toPercent(row.waiting),
    row.verdict === 'calls failed' ? `${row.failed} calls failed` : row.verdict,
  ];
}

function toRatioCells({ name, baseline, of, quotient }: Ratio): readonly string[] {
  const cells = quotient === undefined ? ['excluded', 'a side does not count'] : toSpreadCells(quotient);
  return [`${of === 'p99' ? 'p99: ' : ''}${name} / ${baseline}`, ...cells];
}

function toSpreadCells({ median, min, max }: Spread): readonly string[] {
  return [median.toFixed(2), `${min.toFixed(2)} .. ${max.toFixed(2)}`];
}

/** Three digits, for what may be of any size. */
function toFigure(value: number): string {
  return value >= 100 ? toInteger(value) : value.toPrecision(3);
}

function toInteger(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function toQuantity(value: number): string {
  return value >= 100 ? toInteger(value) : value.toFixed(2);
}
