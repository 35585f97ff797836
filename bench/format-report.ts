// The tables: of Markdown, so that the terminal and docs/benchmarks.md show the same.
import type { FigureGroup } from './figures.js';
import type { EngineFacts } from './report.js';
import type { GroupResult, Ratio, RowResult } from './rounds.js';
import type { Spread } from './statistics.js';

const ROW_HEAD = ['row', 'median /s', 'min .. max', 'MAD', 'server CPU', 'waited', 'verdict'];
const RATIO_HEAD = ['ratio', 'median', 'min .. max'];
const FIGURE_HEAD = ['figure', 'median', 'min .. max', 'goal'];

export function formatGroup({ title, rows, ratios }: GroupResult): string {
  const tables = [formatTable([ROW_HEAD, ...rows.map(toRowCells)])];
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

export function formatEngines(engines: readonly EngineFacts[]): string {
  const head = ['store', 'ready after (median, min .. max)', 'RssAnon idle', 'RssAnon filled', 'tokens'];
  const cells = engines.map(({ name, readyMs, idleKib, filledKib, filledTokens }) => [
    name,
    `${toInteger(readyMs.median)} ms, ${toInteger(readyMs.min)} .. ${toInteger(readyMs.max)}`,
    toMib(idleKib),
    toMib(filledKib),
    toInteger(filledTokens),
  ]);
  return `### A daemon at rest\n\n${formatTable([head, ...cells])}`;
}

function formatTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (cells: readonly string[]) => `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows].map(toLine).join('\n');
}

function toRowCells({ name, unit, perSecond, cores, waiting, failed, verdict }: RowResult): readonly string[] {
  return [
    name,
    `${toInteger(perSecond.median)} ${unit}`,
    `${toInteger(perSecond.min)} .. ${toInteger(perSecond.max)}`,
    toPercent(perSecond.mad / perSecond.median),
    `${cores.toFixed(2)} cores`,
    toPercent(waiting),
    verdict === 'calls failed' ? `${failed} calls failed` : verdict,
  ];
}

function toRatioCells({ name, baseline, quotient }: Ratio): readonly string[] {
  const cells = quotient === undefined ? ['excluded', 'a side does not count'] : toSpreadCells(quotient);
  return [`${name} / ${baseline}`, ...cells];
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

function toMib(kib: number): string {
  return `${(kib / 1024).toFixed(0)} MiB`;
}
