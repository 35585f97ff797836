// Where the token stands in a line, and what is said of lines that have none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isFault, type Row } from '../../src/cli/batch-row.js';
import { CliError } from '../../src/cli/cli-error.js';
import { readLineBlocks } from '../../src/cli/line-blocks.js';
import { createTokenReader, type TokenFields } from '../../src/cli/token-rows.js';

const LINES: TokenFields = { format: 'lines', field: 'token', idField: undefined };
const NDJSON: TokenFields = { format: 'ndjson', field: 'token', idField: 'id' };
const CSV: TokenFields = { format: 'csv', field: 'token', idField: 'id' };
const BARE_CSV: TokenFields = { format: 'csv', field: '2', idField: undefined };

/** [line, token or reason in brackets, id] */
type Seen = readonly [number, string, (string | number)?];

async function read(fields: TokenFields, text: string | Buffer, chunkBytes: number): Promise<Seen[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
  }
  const reader = createTokenReader(fields);
  const rows: Row<string>[] = [];
  for await (const { firstLine, lines } of readLineBlocks(chunks())) rows.push(...reader.read(firstLine, lines));
  rows.push(...reader.end());
  return rows.map(({ line, value, id }) => {
    const shown = isFault(value) ? `[${value.reason}]` : value;
    return id === undefined ? [line, shown] : [line, shown, id];
  });
}

const LONG = 'x'.repeat(70_000);

const CASES: readonly (readonly [string, TokenFields, string | Buffer, readonly Seen[]])[] = [
  ['an empty file', LINES, '', []],
  ['blank lines', LINES, '\n \r\n\n', []],
  [
    'no end of the last line',
    LINES,
    'a\nb',
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'a byte order mark and CRLF',
    LINES,
    '\uFEFFa\r\n\r\nb\r\n',
    [
      [1, 'a'],
      [3, 'b'],
    ],
  ],
  ['a byte order mark alone', LINES, '\uFEFF', []],
  [
    'NUL bytes are for the daemon to refuse',
    LINES,
    'a\0b\nc\n',
    [
      [1, 'a\0b'],
      [2, 'c'],
    ],
  ],
  [
    'a line that is too long, between others',
    LINES,
    `a\n${LONG}\nb\n`,
    [
      [1, 'a'],
      [2, '[LINE_TOO_LONG]'],
      [3, 'b'],
    ],
  ],
  [
    'a last line that is too long',
    LINES,
    `a\n${LONG}`,
    [
      [1, 'a'],
      [2, '[LINE_TOO_LONG]'],
    ],
  ],
  [
    'bad UTF-8',
    LINES,
    Buffer.concat([Buffer.from('a\nb'), Buffer.from([0xff, 0xfe]), Buffer.from('\nä\n')]),
    [
      [1, 'a'],
      [2, '[NOT_UTF8]'],
      [3, 'ä'],
    ],
  ],
  [
    'NDJSON',
    NDJSON,
    [
      '{"id":7,"token":"a"}',
      '{"token":"b"}',
      '{"id":"c",',
      '["c"]',
      '{"id":"d"}',
      '{"id":"e","token":5}',
      '{"id":{},"token":"f"}',
      '{"id":"g","token":""}',
      '{"id":"h","__proto__":{"token":"i"}}',
    ].join('\n'),
    [
      [1, 'a', 7],
      [2, 'b'],
      [3, '[NOT_JSON]'],
      [4, '[NOT_JSON]'],
      [5, '[FIELD_MISSING]', 'd'],
      [6, '[FIELD_NOT_TEXT]', 'e'],
      [7, '[ID_NOT_TEXT]'],
      [8, '[FIELD_MISSING]', 'g'],
      [9, '[FIELD_MISSING]', 'h'],
    ],
  ],
  [
    'duplicate ids are rows as others',
    NDJSON,
    '{"id":1,"token":"a"}\n{"id":1,"token":"a"}\n',
    [
      [1, 'a', 1],
      [2, 'a', 1],
    ],
  ],
  [
    'CSV with names',
    CSV,
    'id, token ,note\r\n1,a,"one, ""two"""\r\n\r\n2,b,three\r\n3,,four\r\n4,d\r\n5,e,"five\nlines"\n6,f,\n',
    [
      [2, 'a', '1'],
      [4, 'b', '2'],
      [5, '[FIELD_MISSING]', '3'],
      [6, '[CSV_COLUMNS]'],
      [7, 'e', '5'],
      [9, 'f', '6'],
    ],
  ],
  [
    'CSV without names',
    BARE_CSV,
    'x,a\ny,b\n',
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'a quote that is never closed costs its own line alone',
    CSV,
    'id,token\n1,a\n2,"b\n3,c\n4,d\n',
    [
      [2, 'a', '1'],
      [3, '[CSV_MALFORMED]'],
      [4, 'c', '3'],
      [5, 'd', '4'],
    ],
  ],
  [
    'a quote in the middle',
    CSV,
    'id,token\n1,a"b"c\n2,d\n',
    [
      [2, '[CSV_MALFORMED]'],
      [3, 'd', '2'],
    ],
  ],
  [
    'a line of CSV that is too long',
    CSV,
    `id,token\n1,"${LONG}"\n2,b\n3,"c\n${LONG}\n4,d\n`,
    [
      [2, '[LINE_TOO_LONG]'],
      [3, 'b', '2'],
      [4, '[CSV_MALFORMED]'],
      [5, '[LINE_TOO_LONG]'],
      [6, 'd', '4'],
    ],
  ],
  [
    'quotes that stay open for 100 KB',
    CSV,
    `id,token\n1,"a\n${'2,b\n'.repeat(25_000)}`,
    [[2, '[CSV_MALFORMED]'], ...Array.from({ length: 25_000 }, (_, index): Seen => [index + 3, 'b', '2'])],
  ],
];

describe('rows of the input', () => {
  for (const [name, fields, text, expected] of CASES) {
    it(name, async () => {
      for (const chunkBytes of [1_000_000, 65_536, 4_097, 7]) {
        if (chunkBytes === 7 && text.length > 10_000) continue;
        assert.deepEqual(await read(fields, text, chunkBytes), expected, `in chunks of ${chunkBytes}`);
      }
    });
  }

  it('a column that is not there is a fault of the command', async () => {
    await assert.rejects(read(CSV, 'id,access\n1,a\n', 100), CliError);
    await assert.rejects(read(BARE_CSV, 'only\n', 100), CliError);
  });
});
