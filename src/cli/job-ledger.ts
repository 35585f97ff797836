// What a job has done: its output, its rejects, and the checkpoint that speaks of both. Nothing is said to be done before it
// is on the disk, and what was not said is cut off by whoever goes on.
import { randomBytes } from 'node:crypto';
import type { Position } from './batch-chunks.js';
import { fingerprintInputs, type InputFile } from './batch-input.js';
import type { RowFault, RowId } from './batch-row.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { CliError } from './cli-error.js';
import { createDurableFile, type DurableFile, printedFile, reopenDurableFile } from './durable-file.js';

export interface RejectedRow {
  readonly file?: string | undefined;
  readonly line: number;
  readonly id?: RowId | undefined;
  readonly fault: RowFault;
}

export type Counts = Readonly<Record<string, number>>;

export interface ChunkReport {
  readonly output: string;
  readonly rejected: readonly RejectedRow[];
  readonly counts: Counts;
}

export interface Ledger {
  /** Where the job stands. */
  readonly position: Position;
  readonly counts: Counts;
  readonly isDone: boolean;
  readonly revoking: Checkpoint['revoking'];
  record(report: ChunkReport, end: Position): Promise<void>;
  /** Makes sure of all that was recorded. */
  save(state?: Partial<Pick<Checkpoint, 'revoking' | 'done'>>): Promise<void>;
  close(): Promise<void>;
}

export interface LedgerRequest {
  /** undefined = stdout */
  readonly out: string | undefined;
  /** undefined = stderr */
  readonly rejects: string | undefined;
  /** undefined = none is kept, and nothing can go on with the job. */
  readonly checkpoint: string | undefined;
  readonly resume: boolean;
  /** What the job does; whoever goes on must do the same. */
  readonly job: string;
  readonly files: readonly InputFile[];
  /** How often a checkpoint is written. */
  readonly everyMs: number;
  /** What the output begins with. */
  readonly header: string;
}

const BEGINNING = {
  version: 1 as const,
  position: { file: 0, line: 0 },
  output_bytes: 0,
  rejects_bytes: 0,
  counts: {},
  revoking: { file: 0, lines: [] },
  done: false,
};

/** Throws CliError, before anything is asked or done. */
export async function openLedger(request: LedgerRequest): Promise<Ledger> {
  const { checkpoint: path, resume, job, files } = request;
  const found = path === undefined ? undefined : await readCheckpoint(path);
  if (found === undefined) {
    const salt = randomBytes(16).toString('hex');
    const input = path === undefined ? '' : await fingerprintInputs(files, salt);
    const ledger = await beginLedger(request, { ...BEGINNING, job, salt, input });
    await ledger.save();
    return withHeader(ledger, request.header);
  }
  if (!resume) {
    throw new CliError(2, `${path}: a job was begun here`, 'Go on with it: --resume. Or choose another name.');
  }
  if (found.job !== job) throw new CliError(2, `${path}: the job was begun with other options: ${found.job}`);
  if (found.input !== (await fingerprintInputs(files, found.salt))) {
    throw new CliError(2, 'the input was changed since this job was begun, so nothing can go on with it');
  }
  return reopenLedger(request, found);
}

/** Counts, and writes nothing. */
export function createTally(): Ledger {
  const nowhere = printedFile('nowhere');
  return createLedger(undefined, 0, { ...BEGINNING, job: '', salt: '', input: '' }, [nowhere, nowhere]);
}

async function beginLedger({ out, rejects, checkpoint, everyMs }: LedgerRequest, first: Checkpoint): Promise<Ledger> {
  const output = out === undefined ? printedFile('stdout') : await createDurableFile(out);
  const rejected = rejects === undefined ? printedFile('stderr') : await createDurableFile(rejects);
  return createLedger(checkpoint, everyMs, first, [output, rejected]);
}

async function reopenLedger({ out, rejects, checkpoint, everyMs, header }: LedgerRequest, found: Checkpoint) {
  const output = out === undefined ? printedFile('stdout') : await reopenDurableFile(out, found.output_bytes);
  const rejected =
    rejects === undefined ? printedFile('stderr') : await reopenDurableFile(rejects, found.rejects_bytes);
  const ledger = createLedger(checkpoint, everyMs, found, [output, rejected]);
  return found.output_bytes === 0 ? withHeader(ledger, header) : ledger;
}

async function withHeader(ledger: Ledger, header: string): Promise<Ledger> {
  await ledger.record({ output: header, rejected: [], counts: {} }, ledger.position);
  return ledger;
}

function createLedger(
  path: string | undefined,
  everyMs: number,
  found: Checkpoint,
  [output, rejected]: readonly [DurableFile, DurableFile],
): Ledger {
  let current = found;
  let savedMs = performance.now();

  async function save(state: Parameters<Ledger['save']>[0] = {}): Promise<void> {
    current = { ...current, ...state };
    savedMs = performance.now();
    if (path === undefined) return;
    await output.sync();
    await rejected.sync();
    await writeCheckpoint(path, current);
  }

  return {
    get position() {
      return current.position;
    },
    get counts() {
      return current.counts;
    },
    get isDone() {
      return current.done;
    },
    get revoking() {
      return current.revoking;
    },
    record: async (report, end) => {
      await output.append(report.output);
      await rejected.append(report.rejected.map(formatRejected).join(''));
      current = {
        ...current,
        position: end,
        counts: addCounts(current.counts, report.counts),
        output_bytes: output.bytes,
        rejects_bytes: rejected.bytes,
        revoking: withoutDone(current.revoking, end),
      };
      if (performance.now() - savedMs >= everyMs) await save();
    },
    save,
    close: async () => {
      await output.close();
      await rejected.close();
    },
  };
}

function withoutDone(revoking: Checkpoint['revoking'], end: Position): Checkpoint['revoking'] {
  if (revoking.file !== end.file) return revoking;
  return { ...revoking, lines: revoking.lines.filter((line) => line > end.line) };
}

function formatRejected({ fault, ...where }: RejectedRow): string {
  return `${JSON.stringify({ ...where, ...fault })}\n`;
}

function addCounts(counts: Counts, more: Counts): Counts {
  const sums: Record<string, number> = { ...counts };
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
