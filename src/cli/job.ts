// A job: rows in chunks, asked about, answered in their order, recorded. It ends when all are answered, when it is stopped,
// or by an error; in each case what it has done is saved.
import { IntrospectionError } from '@introspectd/client';
import { type ChunkRequest, type RowChunk, readChunks } from './batch-chunks.js';
import { isFault, type RowFault } from './batch-row.js';
import type { ChunkReport, Ledger } from './job-ledger.js';
import type { Progress } from './progress.js';

export interface JobRequest<Value, Outcome> {
  readonly ledger: Ledger;
  readonly chunks: Omit<ChunkRequest<Value>, 'from'>;
  /** Outcomes in the order of the chunks, one for every value. */
  readonly ask: (chunks: AsyncIterable<readonly Value[]>) => AsyncIterable<readonly Outcome[]>;
  /** `outcomes` are those of all rows: a row with a fault has the fault. */
  readonly report: (chunk: RowChunk<Value>, outcomes: readonly (Outcome | RowFault)[]) => Promise<ChunkReport>;
  /** Rows in a second; undefined = as fast as it goes. */
  readonly rate: number | undefined;
  readonly progress: Progress;
}

/** True when the input came to its end. */
export async function runJob<Value, Outcome>(request: JobRequest<Value, Outcome>): Promise<boolean> {
  const { ledger, chunks, ask, report, progress } = request;
  const asked: RowChunk<Value>[] = [];
  async function* toValues(): AsyncGenerator<readonly Value[]> {
    for await (const chunk of pace(readChunks({ ...chunks, from: ledger.position }), request.rate)) {
      asked.push(chunk);
      yield chunk.values;
    }
  }
  let isRecording = false;
  try {
    for await (const outcomes of ask(toValues())) {
      const chunk = asked.shift();
      if (chunk === undefined) throw new Error('an answer to nothing');
      const done = await report(chunk, toRowOutcomes(chunk, outcomes));
      isRecording = true;
      await ledger.record(done, chunk.end);
      isRecording = false;
      progress.advance(chunk.rows.length, chunk.readBytes);
    }
  } catch (error) {
    // What could not be written cannot be saved either; the last checkpoint stands.
    if (!isRecording) await ledger.save();
    if (!chunks.stop.aborted || !(error instanceof IntrospectionError)) throw error;
  }
  if (!chunks.stop.aborted) return true;
  await ledger.save();
  return false;
}

function toRowOutcomes<Value, Outcome>(
  { rows }: RowChunk<Value>,
  outcomes: readonly Outcome[],
): readonly (Outcome | RowFault)[] {
  let at = 0;
  return rows.map(({ value }) => {
    if (isFault(value)) return value;
    const outcome = outcomes[at++];
    if (outcome === undefined) throw new Error('fewer outcomes than rows');
    return outcome;
  });
}

/** Not more than so many rows in a second, counted from the beginning, but never in a rush after a pause. */
async function* pace<Value>(
  chunks: AsyncIterable<RowChunk<Value>>,
  perSecond: number | undefined,
): AsyncGenerator<RowChunk<Value>> {
  let freeMs = performance.now();
  for await (const chunk of chunks) {
    if (perSecond !== undefined) {
      const nowMs = performance.now();
      if (freeMs > nowMs) await new Promise((resolve) => setTimeout(resolve, freeMs - nowMs));
      freeMs = Math.max(freeMs, nowMs) + (chunk.rows.length * 1_000) / perSecond;
    }
    yield chunk;
  }
}
