import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InputLine, splitLines } from '../../src/cli/split-lines.js';

async function linesOf(chunks: readonly (string | Buffer)[]): Promise<InputLine[]> {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: InputLine[] = [];
  for await (const line of splitLines(stream())) lines.push(line);
  return lines;
}

const LONG = 'x'.repeat(65_536);

const CASES: readonly (readonly [
  string,
  readonly (string | Buffer)[],
  readonly (readonly [number, string | undefined])[],
])[] = [
  ['nothing', [], []],
  ['empty lines', ['\n', '\r\n \n'], []],
  ['one line without an end', ['a'], [[1, 'a']]],
  [
    'lines in one chunk',
    ['a\nb\n'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'a line in many chunks',
    ['a', 'b', 'c\nd'],
    [
      [1, 'abc'],
      [2, 'd'],
    ],
  ],
  [
    'an end between chunks',
    ['a', '\n', 'b'],
    [
      [1, 'a'],
      [2, 'b'],
    ],
  ],
  [
    'CRLF and white space',
    [' a \r\n\r\n\tb\r\n'],
    [
      [1, 'a'],
      [3, 'b'],
    ],
  ],
  ['a character in two chunks', [Buffer.from([0xc3]), Buffer.from([0xa4])], [[1, 'ä']]],
  ['a byte order mark', ['\ufeffa\n'], [[1, 'a']]],
  [
    'not UTF-8',
    [Buffer.from([0x61, 0xff, 0x0a, 0x62])],
    [
      [1, undefined],
      [2, 'b'],
    ],
  ],
  [
    'the longest line',
    [LONG, '\nb'],
    [
      [1, LONG],
      [2, 'b'],
    ],
  ],
  [
    'one byte more',
    [LONG, 'x\nb'],
    [
      [1, undefined],
      [2, 'b'],
    ],
  ],
  [
    'far too long, in chunks',
    [...Array(100).fill(LONG), '\nb'],
    [
      [1, undefined],
      [2, 'b'],
    ],
  ],
];

test('lines that hold something, with their numbers', async (t) => {
  for (const [name, chunks, expected] of CASES) {
    await t.test(name, async () => {
      assert.deepEqual(
        await linesOf(chunks),
        expected.map(([number, text]) => ({ number, text })),
      );
    });
  }
});
