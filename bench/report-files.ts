// docs/benchmarks.json, and docs/benchmarks.md that is made of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { formatMarkdown } from './format-markdown.js';
import type { Report } from './report.js';

const JSON_FILE = new URL('../../docs/benchmarks.json', import.meta.url);
const MARKDOWN_FILE = new URL('../../docs/benchmarks.md', import.meta.url);

/** As it was written last; one without figures is older than they are. */
export function readReport(): Report {
  return { figures: [], ...(JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Omit<Report, 'figures'> & Partial<Report>) };
}

export function writeReport(report: Report): void {
  writeFileSync(JSON_FILE, `${JSON.stringify(report, toRounded, 2)}\n`);
  writeFileSync(MARKDOWN_FILE, formatMarkdown(report));
}

/** Digits that were never measured only make differences noisy. */
function toRounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
