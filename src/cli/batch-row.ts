// What a line of the input is once it is read: a value to ask about, or a fault.

export type RowId = string | number;

/** Published: they stand in the rejects file. The daemon's own reasons stand beside them there. */
const FAULTS = {
  LINE_TOO_LONG: 'longer than 64 KiB',
  NOT_UTF8: 'not UTF-8',
  NOT_JSON: 'not a JSON object',
  FIELD_MISSING: 'the field with the token is not there, or empty',
  FIELD_NOT_TEXT: 'the field with the token is not text',
  ID_NOT_TEXT: 'the id is neither text nor a number',
  CSV_MALFORMED: 'not CSV: a quote is out of place or not closed',
  CSV_COLUMNS: 'not as many columns as the first line has',
  ENTRY_MALFORMED: 'not a token with claims',
} as const;

type FaultReason = keyof typeof FAULTS;

/** What other values, whose members are other people's words, cannot have. */
const FAULT = Symbol('fault');

export interface RowFault {
  readonly [FAULT]: true;
  readonly reason: string;
  /** For people; never quotes the line. */
  readonly message: string;
}

export interface Row<Value> {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly id: RowId | undefined;
  readonly value: Value | RowFault;
  /** How long it is in the input. */
  readonly characters: number;
}

/** A line by itself. */
export type ParsedLine<Value> = Pick<Row<Value>, 'id' | 'value'>;

/** Lines come in blocks, and a row may begin in one and end in another. */
export interface RowReader<Value> {
  read(firstLine: number, lines: readonly (string | { readonly unreadable: keyof typeof FAULTS })[]): Row<Value>[];
  /** The rows that were waiting for more lines. */
  end(): Row<Value>[];
}

export function toFault(reason: FaultReason): RowFault {
  return describeFault(reason, FAULTS[reason]);
}

/** One that others found. `message` never quotes the line. */
export function describeFault(reason: string, message: string): RowFault {
  return { [FAULT]: true, reason, message };
}

export function isFault(value: unknown): value is RowFault {
  return typeof value === 'object' && value !== null && FAULT in value;
}

/** A reader of rows of one line each. `parse` gives undefined for a line that holds nothing. */
export function createLineReader<Value>(parse: (text: string) => ParsedLine<Value> | undefined): RowReader<Value> {
  return {
    read: (firstLine, lines) => {
      const rows: Row<Value>[] = [];
      for (let index = 0; index < lines.length; index++) {
        const line = lines[index] ?? '';
        const characters = typeof line === 'string' ? line.length : 0;
        const parsed = typeof line === 'string' ? parse(line) : { id: undefined, value: toFault(line.unreadable) };
        if (parsed !== undefined)
          rows.push({ line: firstLine + index, id: parsed.id, value: parsed.value, characters });
      }
      return rows;
    },
    end: () => [],
  };
}
