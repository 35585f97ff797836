// How a batch goes: what is asked, what is written, and with --revoke what is revoked in between.
import { IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import { introspectChunks, toOwnOutcome } from '@introspectd/client/chunk-stream';
import { type Answer, type AnswerColumns, createAnswerWriter } from './answer-text.js';
import type { RowChunk } from './batch-chunks.js';
import type { BatchOptions } from './batch-command.js';
import { checkOutside, findInputs, type InputFile } from './batch-input.js';
import { createRevoker, type Revoker } from './batch-revoke.js';
import { describeFault, isFault, type RowFault } from './batch-row.js';
import { checkpointPath, readCheckpoint } from './checkpoint.js';
import type { ExitCode } from './cli-error.js';
import { confirm } from './confirm.js';
import { type Connection, waitForDaemon, withConnection } from './connection.js';
import type { JobRequest } from './job.js';
import { type ChunkReport, type Counts, createTally, type Ledger, openLedger, type RejectedRow } from './job-ledger.js';
import { pickChunkRows } from './job-options.js';
import { catchSignals, createRetryNote, finishJob, type JobSignals, startJobProgress, toExitCode } from './job-run.js';
import { printData, printNote } from './terminal.js';
import { createTokenReader, type TokenFields } from './token-rows.js';

export interface BatchJob {
  readonly fields: TokenFields;
  readonly claims: readonly string[] | undefined;
  /** count: as ask, and nothing is written but how many there are. */
  readonly mode: 'ask' | 'count' | 'revoke';
}

type Outcome = IntrospectionResult | IntrospectionError;

export async function runBatch(options: BatchOptions, job: BatchJob): Promise<ExitCode> {
  const files = await findInputs(options.file);
  checkOutside(files, [options.out, options.rejects]);
  const signals = catchSignals(options.timeout);
  return withConnection(options, async (connection) => {
    await waitForDaemon(connection);
    const run = { options, job, files, signals, connection };
    if (job.mode === 'count') return (await countActive(run)).exitCode;
    return job.mode === 'revoke' ? revokeActive(run) : writeAnswers(run);
  });
}

interface Run {
  readonly options: BatchOptions;
  readonly job: BatchJob;
  readonly files: readonly InputFile[];
  readonly signals: JobSignals;
  readonly connection: Connection;
}

async function writeAnswers(run: Run): Promise<ExitCode> {
  const writer = createAnswerWriter(toColumns(run));
  const ledger = await openRunLedger(run, writer.header);
  if (ledger.isDone) return sayDone(ledger);
  const request = createRequest(run, ledger, async (chunk, outcomes) => {
    const { answers, rejected } = sortOut(chunk, outcomes);
    return toReport(writer.write(answers), answers, rejected);
  });
  return finish(run, request);
}

/** First it is counted how many are active; then that many are revoked, if whoever runs it says so. */
async function revokeActive(run: Run): Promise<ExitCode> {
  const { options } = run;
  const checkpoint = findCheckpoint(options);
  const begun = options.resume === true && checkpoint !== undefined && (await readCheckpoint(checkpoint)) !== undefined;
  if (!begun) {
    const { active, rows, exitCode } = await countActive(run);
    if (run.signals.stop.aborted || active === 0) return exitCode;
    const warning = `This revokes ${active} active tokens, of ${rows} lines in ${options.file}. It cannot be taken back.`;
    if (!options.yes) await confirm({ warning, name: String(active) });
  }
  const writer = createAnswerWriter(toColumns(run));
  const ledger = await openRunLedger(run, writer.header);
  if (ledger.isDone) return sayDone(ledger);
  const revoke = createRunRevoker(run);
  const unsure = ledger.revoking;
  const request = createRequest(run, ledger, async (chunk, outcomes) => {
    const { answers, rejected } = sortOut(chunk, outcomes);
    // Those that were about to be revoked when the job was killed: they were active, whether they still are or not.
    const isUnsure = (line: number) => unsure.file === chunk.end.file && unsure.lines.includes(line);
    const active = answers.filter(({ result, line }) => result.active || isUnsure(line));
    if (active.length > 0) {
      const later = unsure.file === chunk.end.file ? unsure.lines.filter((line) => line > chunk.end.line) : [];
      const lines = [...active.map(({ line }) => line), ...later];
      await ledger.save({ revoking: { file: chunk.end.file, lines } });
      await revoke(active.map(({ token }) => token));
    }
    const dead = new Set(active);
    const rows = answers.map((answer) => ({
      ...answer,
      result: { active: dead.has(answer) } as IntrospectionResult,
      revoked: dead.has(answer),
    }));
    return toReport(writer.write(rows), rows, rejected);
  });
  return finish(run, request);
}

async function countActive(run: Run): Promise<{ active: number; rows: number; exitCode: ExitCode }> {
  const ledger = createTally();
  const request = createRequest(run, ledger, async (chunk, outcomes) => {
    const { answers, rejected } = sortOut(chunk, outcomes);
    return toReport('', answers, rejected);
  });
  const exitCode = await finishJob(request, { resumable: false, describe });
  await printData(JSON.stringify(toSummary(ledger.counts)));
  const { active = 0, answered = 0, rejected = 0 } = ledger.counts;
  return { active, rows: answered + rejected, exitCode };
}

function createRequest(
  { options, job, files, signals, connection }: Run,
  ledger: Ledger,
  report: JobRequest<string, Outcome>['report'],
): JobRequest<string, Outcome> {
  const progress = startJobProgress(files, options.shard, ledger);
  const { concurrency, patience: maxStallMs, audience: audiences } = options;
  const bounds = { concurrency, maxStallMs, audiences, signal: signals.end, onRetry: createRetryNote(progress.note) };
  async function* ask(chunks: AsyncIterable<readonly string[]>): AsyncGenerator<readonly Outcome[]> {
    for await (const responses of introspectChunks(connection.client.raw, chunks, bounds)) {
      yield responses.map(toOwnOutcome);
    }
  }
  return {
    ledger,
    chunks: {
      files,
      shard: options.shard,
      createReader: () => createTokenReader(job.fields),
      maxRows: pickChunkRows(options),
      stop: signals.stop,
    },
    ask,
    report,
    rate: options.rate,
    progress,
  };
}

/** Every row is an answer or a reject. */
function sortOut({ rows, file }: RowChunk<string>, outcomes: readonly (Outcome | RowFault)[]) {
  const answers: Answer[] = [];
  const rejected: RejectedRow[] = [];
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index];
    const outcome = outcomes[index];
    if (row === undefined || outcome === undefined) throw new Error('fewer outcomes than rows');
    const { line, id, value } = row;
    if (isFault(outcome)) rejected.push({ file: file.name, line, id, fault: outcome });
    else if (outcome instanceof IntrospectionError)
      rejected.push({ file: file.name, line, id, fault: fromError(outcome) });
    else answers.push({ file: file.name, line, id, token: String(value), result: outcome });
  }
  return { answers, rejected };
}

/** The daemon's word on one token, such as TOKEN_MALFORMED. */
function fromError({ code, reason = code, message }: IntrospectionError): RowFault {
  return describeFault(reason, message);
}

function toReport(output: string, answers: readonly Answer[], rejected: readonly RejectedRow[]): ChunkReport {
  let [active, revoked] = [0, 0];
  for (const answer of answers) {
    if (answer.result.active) active += 1;
    if (answer.revoked) revoked += 1;
  }
  return { output, rejected, counts: { answered: answers.length, active, revoked, rejected: rejected.length } };
}

function finish({ options }: Run, request: JobRequest<string, Outcome>): Promise<ExitCode> {
  const summarize = (counts: Counts) => (options.output === 'summary' ? `${JSON.stringify(toSummary(counts))}\n` : '');
  return finishJob(request, { resumable: findCheckpoint(options) !== undefined, describe, summarize });
}

function sayDone({ counts }: Ledger): ExitCode {
  printNote(`done already: ${describe(counts)}`);
  return toExitCode(counts);
}

function describe({ answered = 0, active = 0, rejected = 0, revoked = 0 }: Counts): string {
  const parts = [`${answered} answered`, `${active} active`, `${rejected} rejected`];
  return [...parts, ...(revoked === 0 ? [] : [`${revoked} revoked`])].join(', ');
}

function toSummary({ answered = 0, active = 0, rejected = 0, revoked = 0 }: Counts): Readonly<Record<string, number>> {
  return { lines: answered + rejected, active, inactive: answered - active, rejected, revoked };
}

function toColumns({ options, job, files }: Run): AnswerColumns {
  return {
    format: options.output,
    // What is revoked has no claims to tell any more.
    claims: job.mode === 'revoke' ? [] : job.claims,
    isFolder: files[0]?.name !== undefined,
    hasId: job.fields.idField !== undefined,
    showsToken: options.writeTokensInClear === true,
    revokes: job.mode === 'revoke',
  };
}

function openRunLedger({ options, job, files }: Run, header: string): Promise<Ledger> {
  const { out, audience, shard, output, writeTokensInClear } = options;
  const rejects = options.rejects ?? (out === undefined ? undefined : `${out}.rejects`);
  return openLedger({
    out,
    rejects,
    checkpoint: findCheckpoint(options),
    resume: options.resume === true,
    job: JSON.stringify({ batch: job, audience, shard, output, writeTokensInClear }),
    files,
    everyMs: options.checkpoint,
    header,
  });
}

/** None where there is nothing to go on with: an input that is gone, or an output that was printed. */
function findCheckpoint({ file, out }: BatchOptions): string | undefined {
  return out === undefined || file === undefined || file === '-' ? undefined : checkpointPath(out);
}

function createRunRevoker({ options, signals, connection: { client } }: Run): Revoker {
  const { reason, patience: patienceMs } = options;
  return createRevoker({ client, reason, patienceMs, signal: signals.end, onRetry: createRetryNote(printNote) });
}
