import { readLineBlocks } from './line-blocks.js';

export interface InputLine {
  /** From 1. */
  readonly number: number;
  /** Without its end and without white space around it; undefined when it is too long or not UTF-8. */
  readonly text: string | undefined;
}

/** The lines of a stream that hold something. */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<InputLine> {
  for await (const { firstLine, lines } of readLineBlocks(chunks)) {
    for (const [index, line] of lines.entries()) {
      const text = typeof line === 'string' ? line.trim() : undefined;
      if (text !== '') yield { number: firstLine + index, text };
    }
  }
}
