// How an import goes: lines of JSON -> entries -> ImportTokens; what is refused goes to the rejects.
import type { IntrospectionClient } from '@introspectd/client';
import type { TokenEntry } from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import type { RowChunk } from './batch-chunks.js';
import { checkOutside, findInputs, type InputFile } from './batch-input.js';
import { createLineReader, describeFault, isFault, type ParsedLine, type RowFault } from './batch-row.js';
import { checkpointPath } from './checkpoint.js';
import { LineFault } from './claims-json.js';
import type { ExitCode } from './cli-error.js';
import { waitForDaemon, withConnection } from './connection.js';
import { type ImportOutcome, importChunks } from './import-chunks.js';
import type { ImportOptions } from './import-command.js';
import type { JobRequest } from './job.js';
import { type ChunkReport, type Counts, type Ledger, openLedger, type RejectedRow } from './job-ledger.js';
import { pickChunkRows } from './job-options.js';
import { catchSignals, createRetryNote, finishJob, type JobSignals, startJobProgress, toExitCode } from './job-run.js';
import { parseRegistrationLine } from './registration-line.js';
import { printNote } from './terminal.js';

export async function runImport(options: ImportOptions): Promise<ExitCode> {
  const files = await findInputs(options.file);
  checkOutside(files, [options.rejects]);
  const signals = catchSignals(options.timeout);
  return withConnection(options, async (connection) => {
    await waitForDaemon(connection);
    const { rejects, resume = false, shard, dryRun = false, checkpoint: everyMs } = options;
    const checkpoint = findCheckpoint(options);
    const job = JSON.stringify({ import: { dryRun }, shard });
    const ledger = await openLedger({ out: undefined, rejects, checkpoint, resume, job, files, everyMs, header: '' });
    const describe = (counts: Counts) => describeCounts(counts, dryRun);
    if (ledger.isDone) {
      printNote(`done already: ${describe(ledger.counts)}`);
      return toExitCode(ledger.counts);
    }
    const request = createRequest(options, { files, signals, client: connection.client, ledger });
    const summarize = (counts: Counts) => `${JSON.stringify(toSummary(counts))}\n`;
    return finishJob(request, { resumable: checkpoint !== undefined, describe, summarize });
  });
}

interface ImportParts {
  readonly files: readonly InputFile[];
  readonly signals: JobSignals;
  readonly client: IntrospectionClient;
  readonly ledger: Ledger;
}

function createRequest(
  options: ImportOptions,
  { files, signals: { stop, end }, client, ledger }: ImportParts,
): JobRequest<TokenEntry, ImportOutcome> {
  const { shard, rate, concurrency, patience: maxStallMs, dryRun = false } = options;
  const progress = startJobProgress(files, shard, ledger);
  const bounds = { concurrency, maxStallMs, signal: end, onRetry: createRetryNote(progress.note), dryRun };
  return {
    ledger,
    chunks: { files, shard, createReader: () => createLineReader(parseEntry), maxRows: pickChunkRows(options), stop },
    ask: (chunks) => importChunks(client, chunks, bounds),
    report: async (chunk, outcomes) => toReport(chunk, outcomes),
    rate,
    progress,
  };
}

function parseEntry(text: string): ParsedLine<TokenEntry> | undefined {
  if (text.trim() === '') return undefined;
  try {
    return { id: undefined, value: parseRegistrationLine(text) };
  } catch (error) {
    if (!(error instanceof LineFault)) throw error;
    return { id: undefined, value: describeFault('ENTRY_MALFORMED', error.message) };
  }
}

function toReport({ rows, file }: RowChunk<TokenEntry>, outcomes: readonly (ImportOutcome | RowFault)[]): ChunkReport {
  const rejected: RejectedRow[] = [];
  for (const [index, { line }] of rows.entries()) {
    const outcome = outcomes[index];
    if (outcome === 'OK') continue;
    if (outcome === undefined) throw new Error('fewer outcomes than rows');
    const fault = isFault(outcome) ? outcome : describeFault(outcome.reason ?? outcome.code, outcome.message);
    rejected.push({ file: file.name, line, fault });
  }
  return { output: '', rejected, counts: { registered: rows.length - rejected.length, rejected: rejected.length } };
}

function describeCounts({ registered = 0, rejected = 0 }: Counts, dryRun: boolean): string {
  return `${registered} ${dryRun ? 'would be registered' : 'registered'}, ${rejected} rejected`;
}

function toSummary({ registered = 0, rejected = 0 }: Counts): Counts {
  return { lines: registered + rejected, registered, rejected };
}

/** None where there is nothing to go on with. */
function findCheckpoint({ file, rejects }: ImportOptions): string | undefined {
  return rejects === undefined || file === undefined || file === '-' ? undefined : checkpointPath(rejects);
}
