/** Far above a token (4 KiB) with its claims (3.5 KiB), far below what would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024;

export interface InputLine {
  /** From 1. */
  readonly number: number;
  /** Without its end and without white space around it; undefined when it is too long or not UTF-8. */
  readonly text: string | undefined;
}

/** The lines of a stream that hold something. Memory stays bounded however long a line is. */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputLine> {
  let parts: Buffer[] = [];
  let bytes = 0;
  let number = 1;
  const keep = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (): InputLine => {
    const line = { number, text: bytes <= MAX_LINE_BYTES ? toText(Buffer.concat(parts)) : undefined };
    parts = [];
    bytes = 0;
    number++;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      keep(chunk.subarray(start, end));
      start = end + 1;
      const line = take();
      if (line.text !== '') yield line;
    }
    keep(chunk.subarray(start));
  }
  const last = take();
  if (last.text !== '') yield last;
}

function toText(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch {
    return undefined;
  }
}
