// docs/benchmarks.json, and what is made of it: docs/benchmarks.md and its picture.
import { readFileSync, writeFileSync } from 'node:fs';
import { formatSvg } from './chart/format-svg.js';
import { toPanels } from './chart/panels.js';
import { formatMarkdown } from './format-markdown.js';
import type { Report } from './report.js';

const JSON_FILE = new URL('../../docs/benchmarks.json', import.meta.url);
const CHART_FILE = new URL('../../docs/benchmarks.svg', import.meta.url);
const MARKDOWN_FILE = new URL('../../docs/benchmarks.md', import.meta.url);

/** As it was written last. */
export function readReport(): Report {
  return JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Report;
}

export function writeReport(report: Report): void {
  writeFileSync(JSON_FILE, `${JSON.stringify(report, toRounded, 2)}\n`);
  for (const { file, text } of toDocuments(readReport())) writeFileSync(file, text);
}

/** What is made of a report, and where it stands. */
export function toDocuments(report: Report): readonly { readonly file: URL; readonly text: string }[] {
  return [
    { file: MARKDOWN_FILE, text: formatMarkdown(report) },
    { file: CHART_FILE, text: formatSvg(toPanels(report), report.machine) },
  ];
}

/** Digits that were never measured only make differences noisy. */
function toRounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
