// What the user sees: data on stdout, everything else on stderr.
import { once } from 'node:events';

export type OutputFormat = 'json' | 'ndjson' | 'table';
export type Row = Readonly<Record<string, unknown>>;

const ONE_LINE_COLUMNS = 80;
// What could move the cursor of a terminal or hide text in it; claims are other people's words.
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Data. Waits while the reader is slow. */
export async function printData(text: string): Promise<void> {
  if (!process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)) await once(process.stdout, 'drain');
}

/** For people: progress, warnings, hints. */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `head` and the like close our stdout when they have enough: no reason for a stack trace. */
export function exitOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(1);
  });
}

/** `json` is one object for one row and an array for several; indented where it would be a long line. */
export function formatRows(rows: readonly Row[], format: OutputFormat): string {
  if (format === 'ndjson') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (format === 'table') return formatTable(rows);
  const value = rows.length === 1 ? rows[0] : rows;
  const line = JSON.stringify(value);
  return line.length <= ONE_LINE_COLUMNS ? line : JSON.stringify(value, null, 2);
}

function formatTable(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => toCell(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const toLine = (line: readonly string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return cells.map((line) => `${toLine(line).trimEnd()}\n`).join('');
}

function toCell(value: unknown): string {
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(CONTROLS, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
