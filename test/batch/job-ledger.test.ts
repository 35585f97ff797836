// What a job has done is what its checkpoint says, whatever else stands in its files.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findInputs } from '../../src/cli/batch-input.js';
import { describeFault } from '../../src/cli/batch-row.js';
import { CliError } from '../../src/cli/cli-error.js';
import { type ChunkReport, type LedgerRequest, openLedger } from '../../src/cli/job-ledger.js';
import { temporaryFolder } from '../cli/support/temporary-folder.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

async function toRequest(name: string, more: Partial<LedgerRequest> = {}): Promise<LedgerRequest> {
  const input = path(`${name}.in`);
  appendFileSync(input, '');
  return {
    out: path(name),
    rejects: path(`${name}.rejects`),
    checkpoint: path(`${name}.checkpoint`),
    resume: false,
    job: 'a job',
    files: await findInputs(input),
    everyMs: 3_600_000,
    header: 'header\n',
    ...more,
  };
}

function report(line: number): ChunkReport {
  const fault = describeFault('REASON', 'message');
  return { output: `answer ${line}\n`, rejected: [{ line, fault }], counts: { answered: 1, rejected: 1 } };
}

const contents = (name: string) => [readFileSync(path(name), 'utf8'), readFileSync(path(`${name}.rejects`), 'utf8')];

test('what was recorded and not saved is cut off, and done again', async () => {
  const request = await toRequest('cut');
  const ledger = await openLedger(request);
  await ledger.record(report(1), { file: 0, line: 1 });
  await ledger.save({ revoking: { file: 0, lines: [2, 3] } });
  await ledger.record(report(2), { file: 0, line: 2 });
  await ledger.close();
  const again = await openLedger({ ...request, resume: true });
  assert.deepEqual(
    [again.position, again.counts, again.isDone],
    [{ file: 0, line: 1 }, { answered: 1, rejected: 1 }, false],
  );
  assert.deepEqual(again.revoking, { file: 0, lines: [2, 3] });
  const [output, rejects] = ['header\nanswer 1\n', '{"line":1,"reason":"REASON","message":"message"}\n'];
  assert.deepEqual(contents('cut'), [output, rejects]);
  await again.record(report(2), { file: 0, line: 2 });
  assert.deepEqual(again.revoking, { file: 0, lines: [3] });
  await again.save({ done: true });
  await again.close();
  assert.deepEqual(contents('cut'), [`${output}answer 2\n`, rejects + rejects.replace('1', '2')]);
  assert.equal((await openLedger({ ...request, resume: true })).isDone, true);
});

test('a checkpoint is written when its time has come', async () => {
  const request = await toRequest('often', { everyMs: 0 });
  const ledger = await openLedger(request);
  await ledger.record(report(1), { file: 0, line: 1 });
  const { position, output_bytes: bytes } = JSON.parse(readFileSync(path('often.checkpoint'), 'utf8'));
  assert.deepEqual([position, bytes], [{ file: 0, line: 1 }, statSync(path('often')).size]);
  await ledger.close();
});

test('the header comes once, also when the job was killed before it', async () => {
  const request = await toRequest('early');
  const ledger = await openLedger(request);
  await ledger.close();
  const again = await openLedger({ ...request, resume: true });
  await again.record(report(1), { file: 0, line: 1 });
  await again.close();
  assert.equal(contents('early')[0], 'header\nanswer 1\n');
});

test('nothing goes on that is not what was begun', async () => {
  const request = await toRequest('other');
  await (await openLedger(request)).close();
  const resume = { ...request, resume: true };
  await assert.rejects(openLedger(request), CliError);
  await assert.rejects(openLedger({ ...resume, job: 'another job' }), CliError);
  appendFileSync(path('other.in'), 'more');
  await assert.rejects(openLedger(resume), CliError);
});

test('only a checkpoint of ours is one', async () => {
  const request = await toRequest('foreign', { resume: true });
  appendFileSync(path('foreign.checkpoint'), '{"version":2}');
  await assert.rejects(openLedger(request), CliError);
});
