// The rows of a job in chunks, from where it stands on, and of its shard alone.
import { type InputFile, type OpenInput, openInput } from './batch-input.js';
import { isFault, type Row, type RowReader } from './batch-row.js';
import { readLineBlocks } from './line-blocks.js';
import { isInShard, type Shard } from './shard.js';

/** Everything up to here is done. */
export interface Position {
  /** Which of the files, from 0. */
  readonly file: number;
  /** A row that begins on this line is done, and all before it; 0 = none. */
  readonly line: number;
}

export interface RowChunk<Value> {
  /** At least one, all of one file. */
  readonly rows: readonly Row<Value>[];
  /** Of the rows without a fault. */
  readonly values: readonly Value[];
  readonly file: InputFile;
  readonly end: Position;
  /** Of all files, how much was read for it. */
  readonly readBytes: number;
}

export interface ChunkRequest<Value> {
  readonly files: readonly InputFile[];
  readonly from: Position;
  readonly shard: Shard | undefined;
  /** For each file anew. */
  readonly createReader: () => RowReader<Value>;
  readonly maxRows: number;
  /** Ends the chunks, at once and without an error. */
  readonly stop: AbortSignal;
}

/** A request must stay under the 4 MiB of a gRPC message. */
const MAX_CHARACTERS = 2 * 1024 * 1024;

export async function* readChunks<Value>(request: ChunkRequest<Value>): AsyncGenerator<RowChunk<Value>> {
  const { files, from, shard } = request;
  let bytesBefore = 0;
  for (const [index, file] of files.entries()) {
    const isOurs = files.length === 1 || isInShard(shard, index);
    if (isOurs && index >= from.file) {
      const startLine = index === from.file ? from.line : 0;
      yield* readFileChunks(request, { file, index, startLine, bytesBefore });
    }
    if (request.stop.aborted) return;
    bytesBefore += file.bytes;
  }
}

interface Place {
  readonly file: InputFile;
  readonly index: number;
  readonly startLine: number;
  readonly bytesBefore: number;
}

async function* readFileChunks<Value>(
  { files, shard, createReader, maxRows, stop }: ChunkRequest<Value>,
  { file, index, startLine, bytesBefore }: Place,
): AsyncGenerator<RowChunk<Value>> {
  const input: OpenInput = openInput(file, stop);
  const reader = createReader();
  const lineShard = files.length === 1 ? shard : undefined;

  function* toChunks(rows: readonly Row<Value>[]): Generator<RowChunk<Value>> {
    const wanted = rows.filter(({ line }) => line > startLine && isInShard(lineShard, line - 1));
    for (let start = 0; start < wanted.length; ) {
      const part = takeRows(wanted, start, maxRows);
      start += part.length;
      const end = { file: index, line: part.at(-1)?.line ?? startLine };
      const values = part.flatMap(({ value }) => (isFault(value) ? [] : [value]));
      yield { rows: part, values, file, end, readBytes: bytesBefore + input.readBytes() };
    }
  }

  for await (const { firstLine, lines } of until(readLineBlocks(input.chunks), stop)) {
    yield* toChunks(reader.read(firstLine, lines));
    if (stop.aborted) return;
  }
  if (!stop.aborted) yield* toChunks(reader.end());
}

function takeRows<Value>(rows: readonly Row<Value>[], start: number, maxRows: number): readonly Row<Value>[] {
  let characters = 0;
  let end = start;
  while (end < rows.length && end - start < maxRows) {
    characters += rows[end]?.characters ?? 0;
    if (characters > MAX_CHARACTERS && end > start) break;
    end += 1;
  }
  return rows.slice(start, end);
}

/**
 * Does not wait for a source that has nothing to give. Without Promise.race: one of its promises would live as long as the
 * job, and hold everything that it was raced against.
 */
async function* until<T>(items: AsyncGenerator<T>, stop: AbortSignal): AsyncGenerator<T> {
  let leave: () => void = () => undefined;
  stop.addEventListener('abort', () => leave(), { once: true });
  for (;;) {
    const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
      leave = () => resolve(undefined);
      if (stop.aborted) leave();
      else items.next().then(resolve, reject);
    });
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}
