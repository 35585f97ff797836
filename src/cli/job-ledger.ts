// What a job has done: its output, its rejects, and the checkpoint that speaks of both. Nothing is said to be done before it
// is on the disk, and what was not said is cut off by whoever goes on.
import { randomBytes } from 'node:crypto';
import { fingerprintInputs, type InputFile } from './batch-input.js';
import type { Position } from './batch-chunks.js';
import type { RowFault, RowId } from './batch-row.js';
import { type Checkpoint, checkpointPath, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { CliError } from './cli-error.js';
import { createDurableFile, type DurableFile, reopenDurableFile } from './durable-file.js';
import { printData, printNote } from './terminal.js';

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
  /** Of the output; undefined = stdout, which cannot be gone on with. */
  readonly out: string | undefined;
  /** undefined = stderr */
  readonly rejects: string | undefined;
  /** Not of an input that cannot be read again. */
  readonly keepsCheckpoint: boolean;
  readonly resume: boolean;
  /** What the job does; whoever goes on must do the same. */
  readonly job: string;
  readonly files: readonly InputFile[];
  /** How often a checkpoint is written. */
  readonly everyMs: number;
  /** What the output begins with. */
  readonly header: string;
}

const START: Position = { file: 0, line: 0 };
const NOTHING: Checkpoint['revoking'] = { file: 0, lines: [] };

/** Throws CliError, before anything is asked or done. */
export async function openLedger(request: LedgerRequest): Promise<Ledger> {
  const { out, rejects, resume, job, files } = request;
  if (!request.keepsCheckpoint || out === undefined || rejects === undefined) return createLooseLedger(request);
  const path = checkpointPath(out);
  const found = await readCheckpoint(path);
  if (found !== undefined && !resume) {
    throw new CliError(2, `${out}: a job was begun here`, 'Go on with it: --resume. Or choose another name.');
  }
  if (found === undefined) {
    const salt = randomBytes(16).toString('hex');
    const input = await fingerprintInputs(files, salt);
    const [output, rejected] = [await createDurableFile(out), await createDurableFile(rejects)];
    const blank = { version: 1 as const, job, salt, input, position: START, counts: {}, revoking: NOTHING, done: false };
    const ledger = createLedger(request, path, { ...blank, output_bytes: 0, rejects_bytes: 0 }, output, rejected);
    await ledger.save();
    return withHeader(ledger, request.header);
  }
  if (found.job !== job) {
    throw new CliError(2, `${out} was begun with other options`, `They were: ${found.job}`);
  }
  if (found.input !== (await fingerprintInputs(files, found.salt))) {
    throw new CliError(2, 'the input was changed since this job was begun, so nothing can go on with it');
  }
  const output = await reopenDurableFile(out, found.output_bytes);
  const rejected = await reopenDurableFile(rejects, found.rejects_bytes);
  const ledger = createLedger(request, path, found, output, rejected);
  return found.output_bytes === 0 ? withHeader(ledger, request.header) : ledger;
}

async function withHeader(ledger: Ledger, header: string): Promise<Ledger> {
  await ledger.record({ output: header, rejected: [], counts: {} }, ledger.position);
  return ledger;
}

function withoutDone(revoking: Checkpoint['revoking'], end: Position): Checkpoint['revoking'] {
  if (revoking.file !== end.file) return revoking;
  return { ...revoking, lines: revoking.lines.filter((line) => line > end.line) };
}

function createLedger(
  { everyMs }: LedgerRequest,
  path: string,
  found: Checkpoint,
  output: DurableFile,
  rejected: DurableFile,
): Ledger {
  let current = found;
  let savedMs = performance.now();

  async function save(state: Parameters<Ledger['save']>[0] = {}): Promise<void> {
    current = { ...current, ...state };
    await output.sync();
    await rejected.sync();
    await writeCheckpoint(path, current);
    savedMs = performance.now();
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

/** To stdout and stderr, or to one file and stdout: nothing to go on with. */
async function createLooseLedger({ out, rejects, resume, header }: LedgerRequest): Promise<Ledger> {
  if (resume) throw new CliError(2, '--resume goes on with the file of --out, which is missing');
  const output = out === undefined ? undefined : await createDurableFile(out);
  const rejected = rejects === undefined ? undefined : await createDurableFile(rejects);
  let [position, counts]: [Position, Counts] = [START, {}];
  const put = async (file: DurableFile | undefined, text: string, print: (text: string) => unknown): Promise<void> => {
    if (text !== '') await (file === undefined ? print(text) : file.append(text));
  };
  await put(output, header, printData);
  return {
    get position() {
      return position;
    },
    get counts() {
      return counts;
    },
    isDone: false,
    revoking: NOTHING,
    record: async (report, end) => {
      await put(output, report.output, printData);
      await put(rejected, report.rejected.map(formatRejected).join(''), (text) => printNote(text.trimEnd()));
      [position, counts] = [end, addCounts(counts, report.counts)];
    },
    save: async () => undefined,
    close: async () => {
      await output?.close();
      await rejected?.close();
    },
  };
}

/** Counts, and writes nothing. */
export function createTally(): Ledger {
  let [position, counts]: [Position, Counts] = [START, {}];
  return {
    get position() {
      return position;
    },
    get counts() {
      return counts;
    },
    isDone: false,
    revoking: NOTHING,
    record: async (report, end) => {
      [position, counts] = [end, addCounts(counts, report.counts)];
    },
    save: async () => undefined,
    close: async () => undefined,
  };
}

function formatRejected({ fault, ...where }: RejectedRow): string {
  return `${JSON.stringify({ ...where, ...fault })}\n`;
}

function addCounts(counts: Counts, more: Counts): Counts {
  const sums: Record<string, number> = { ...counts };
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
