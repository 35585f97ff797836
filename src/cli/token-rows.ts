// Where the token stands in a line: the whole of it, a field of a JSON object, or a column of CSV.
import { createLineReader, type ParsedLine, type RowReader, toFault } from './batch-row.js';
import { createCsvReader } from './csv-rows.js';

export type InputFormat = 'lines' | 'ndjson' | 'csv';

export interface TokenFields {
  readonly format: InputFormat;
  /** Name of the field or column with the token. */
  readonly field: string;
  /** Name of the field or column with an id of the row. */
  readonly idField: string | undefined;
}

/** Throws CliError when a file of CSV has no such columns. */
export function createTokenReader(fields: TokenFields): RowReader<string> {
  if (fields.format === 'csv') return createCsvReader(fields);
  return createLineReader(fields.format === 'lines' ? parseLine : (text) => parseObject(text, fields));
}

function parseLine(text: string): ParsedLine<string> | undefined {
  const token = text.trim();
  return token === '' ? undefined : { id: undefined, value: token };
}

function parseObject(text: string, { field, idField }: TokenFields): ParsedLine<string> | undefined {
  if (text.trim() === '') return undefined;
  const members = parseJsonObject(text);
  if (members === undefined) return { id: undefined, value: toFault('NOT_JSON') };
  const id = idField === undefined ? undefined : find(members, idField);
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') {
    return { id: undefined, value: toFault('ID_NOT_TEXT') };
  }
  const token = find(members, field);
  if (token === undefined || token === null || token === '') return { id, value: toFault('FIELD_MISSING') };
  return { id, value: typeof token === 'string' ? token : toFault('FIELD_NOT_TEXT') };
}

function find(members: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // The parser's own message quotes the line.
    return undefined;
  }
}
