// Bytes -> lines, many at a time. Memory stays bounded however long a line is.
import { isUtf8 } from 'node:buffer';

/** Far above a token (4 KiB) with its claims (3.5 KiB), far below what would fill the memory. */
export const MAX_LINE_BYTES = 64 * 1024;

/** What a line that cannot be read is instead of its text. */
export type UnreadableLine = 'LINE_TOO_LONG' | 'NOT_UTF8';

export interface LineBlock {
  /** From 1. */
  readonly firstLine: number;
  /** With their carriage returns, without their line feeds. */
  readonly lines: readonly (string | { readonly unreadable: UnreadableLine })[];
}

type Line = LineBlock['lines'][number];

const LINE_FEED = 10;
const NOTHING = Buffer.alloc(0);
const BYTE_ORDER_MARK = '\uFEFF';
const TOO_LONG: Line = { unreadable: 'LINE_TOO_LONG' };
const NOT_UTF8: Line = { unreadable: 'NOT_UTF8' };

/** A block for each chunk that ends a line. */
export async function* readLineBlocks(chunks: AsyncIterable<Buffer>): AsyncGenerator<LineBlock> {
  let rest: Buffer = NOTHING;
  let isTooLong = false;
  let firstLine = 1;
  const keep = (bytes: Buffer): void => {
    isTooLong ||= rest.length + bytes.length > MAX_LINE_BYTES;
    // A copy: the chunk itself is far larger.
    rest = isTooLong ? NOTHING : Buffer.concat([rest, bytes]);
  };
  const toBlock = (lines: readonly Line[]): LineBlock => {
    const block = { firstLine, lines: firstLine === 1 ? withoutMark(lines) : lines };
    firstLine += lines.length;
    rest = NOTHING;
    isTooLong = false;
    return block;
  };
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LINE_FEED);
    if (end >= 0) {
      const start = isTooLong ? chunk.indexOf(LINE_FEED) + 1 : 0;
      const longLine = isTooLong ? [TOO_LONG] : [];
      const others = start > end ? [] : toLines(Buffer.concat([rest, chunk.subarray(start, end)]));
      yield toBlock([...longLine, ...others]);
    }
    keep(chunk.subarray(end + 1));
  }
  if (isTooLong) yield toBlock([TOO_LONG]);
  else if (rest.length > 0) yield toBlock(toLines(rest));
}

function toLines(bytes: Buffer): readonly Line[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n').map(checkLength);
  const lines: Line[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    lines.push(isUtf8(line) ? checkLength(line.toString('utf8')) : NOT_UTF8);
    start = end + 1;
  }
  return lines;
}

/** A chunk may hold a whole line that is too long. */
function checkLength(text: string): Line {
  if (text.length * 3 <= MAX_LINE_BYTES) return text;
  return Buffer.byteLength(text) <= MAX_LINE_BYTES ? text : TOO_LONG;
}

function withoutMark([first, ...others]: readonly Line[]): readonly Line[] {
  const isMarked = typeof first === 'string' && first.startsWith(BYTE_ORDER_MARK);
  return first === undefined ? others : [isMarked ? first.slice(1) : first, ...others];
}
