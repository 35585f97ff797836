// Rows of CSV (RFC 4180). A record may have line feeds inside its quotes; one that never closes its quotes costs its own
// line alone, and memory stays bounded.
import { parse } from 'csv-parse/sync';
import { isFault, type ParsedLine, type Row, type RowFault, type RowReader, toFault } from './batch-row.js';
import { CliError } from './cli-error.js';
import { MAX_LINE_BYTES } from './line-blocks.js';

interface CsvFields {
  /** Name of the column with the token; or its number, from 1, where there is no line of names. */
  readonly field: string;
  readonly idField: string | undefined;
}

interface TextLine {
  readonly line: number;
  readonly text: string;
}

interface Columns {
  readonly count: number;
  readonly token: number;
  readonly id: number | undefined;
}

export function createCsvReader({ field, idField }: CsvFields): RowReader<string> {
  let columns: Columns | undefined;
  /** Lines of a record whose quotes are open. */
  let open: TextLine[] = [];
  let openLength = 0;
  let isQuoted = false;

  function toRows(records: readonly TextLine[]): Row<string>[] {
    if (records.length === 0) return [];
    const rows: Row<string>[] = [];
    for (const [index, cells] of parseRecords(records).entries()) {
      const { line, text } = records[index] ?? { line: 0, text: '' };
      const characters = text.length;
      if (isFault(cells)) rows.push({ line, id: undefined, value: cells, characters });
      else if (columns !== undefined) rows.push({ line, ...pick(cells, columns), characters });
      else {
        columns = findColumns(cells, field, idField);
        if (isNumber(field)) rows.push({ line, ...pick(cells, columns), characters });
      }
    }
    return rows;
  }

  /** The record at the front of `open` cannot be: its first line is rejected, and the others are read anew. */
  function giveUp(records: TextLine[], rejected: Row<string>[]): void {
    const [first, ...others] = open;
    open = [];
    openLength = 0;
    isQuoted = false;
    if (first === undefined) return;
    rejected.push({ line: first.line, id: undefined, value: toFault('CSV_MALFORMED'), characters: 0 });
    for (const line of others) take(line, records, rejected);
  }

  function take(line: TextLine, records: TextLine[], rejected: Row<string>[]): void {
    open.push(line);
    openLength += line.text.length + 1;
    isQuoted = isQuoted !== (line.text.includes('"') && line.text.split('"').length % 2 === 0);
    if (isQuoted && openLength > MAX_LINE_BYTES) giveUp(records, rejected);
    else if (!isQuoted) {
      const [first = line] = open;
      const text = open.length === 1 ? line.text : open.map((part) => part.text).join('\n');
      open = [];
      openLength = 0;
      if (text.trim() !== '') records.push({ line: first.line, text: text.endsWith('\r') ? text.slice(0, -1) : text });
    }
  }

  const inOrder = (rows: Row<string>[]): Row<string>[] => rows.sort((a, b) => a.line - b.line);

  return {
    read: (firstLine, lines) => {
      const records: TextLine[] = [];
      const rejected: Row<string>[] = [];
      for (const [index, line] of lines.entries()) {
        if (typeof line === 'string') take({ line: firstLine + index, text: line }, records, rejected);
        else {
          while (open.length > 0) giveUp(records, rejected);
          rejected.push({ line: firstLine + index, id: undefined, value: toFault(line.unreadable), characters: 0 });
        }
      }
      return inOrder([...toRows(records), ...rejected]);
    },
    end: () => {
      const records: TextLine[] = [];
      const rejected: Row<string>[] = [];
      while (open.length > 0) giveUp(records, rejected);
      return inOrder([...toRows(records), ...rejected]);
    },
  };
}

/** All at once, which is fast; one by one when that fails, to find those that are to blame. */
function parseRecords(records: readonly TextLine[]): readonly (readonly string[] | RowFault)[] {
  const parsed = tryParse(records.map(({ text }) => text).join('\n'));
  if (parsed?.length === records.length) return parsed;
  return records.map(({ text }) => {
    const alone = tryParse(text);
    return alone?.length === 1 && alone[0] !== undefined ? alone[0] : toFault('CSV_MALFORMED');
  });
}

function tryParse(text: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, { relax_column_count: true, record_delimiter: '\n' });
  } catch {
    // The parser's own message quotes the record.
    return undefined;
  }
}

function pick(cells: readonly string[], { count, token, id }: Columns): ParsedLine<string> {
  if (cells.length !== count) return { id: undefined, value: toFault('CSV_COLUMNS') };
  const value = cells[token]?.trim();
  const rowId = id === undefined ? undefined : cells[id];
  return { id: rowId, value: value === undefined || value === '' ? toFault('FIELD_MISSING') : value };
}

function findColumns(cells: readonly string[], field: string, idField: string | undefined): Columns {
  const token = findColumn(cells, field, '--field');
  return {
    count: cells.length,
    token,
    id: idField === undefined ? undefined : findColumn(cells, idField, '--id-field'),
  };
}

/** Names of columns are not repeated: without a line of names the first line holds tokens. */
function findColumn(names: readonly string[], name: string, flag: string): number {
  const index = isNumber(name) ? Number(name) - 1 : names.findIndex((found) => found.trim() === name);
  if (index >= 0 && index < names.length) return index;
  throw new CliError(
    2,
    `the first line of the CSV has no column ${JSON.stringify(name)}; ${flag} names it`,
    'Where the first line has no names, give the number of the column: --field 1',
  );
}

function isNumber(field: string): boolean {
  return /^[1-9]\d{0,3}$/.test(field);
}
