// The rows of a job in chunks: from where it stands on, of its shard alone, and in bounded memory.
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ChunkRequest, readChunks } from '../../src/cli/batch-chunks.js';
import { findInputs } from '../../src/cli/batch-input.js';
import { createTokenReader } from '../../src/cli/token-rows.js';
import { temporaryFolder } from '../cli/support/temporary-folder.js';

const MIB = 1024 * 1024;
const folder = temporaryFolder();
const fields = { format: 'lines', field: 'token', idField: undefined } as const;

async function toRequest(path: string, more: Partial<ChunkRequest<string>> = {}): Promise<ChunkRequest<string>> {
  return {
    files: await findInputs(path),
    from: { file: 0, line: 0 },
    shard: undefined,
    createReader: () => createTokenReader(fields),
    maxRows: 500,
    stop: new AbortController().signal,
    ...more,
  };
}

test('begins behind its position, and takes the lines of its shard', async () => {
  const path = join(folder, 'some.txt');
  writeFileSync(path, Array.from({ length: 20 }, (_, index) => `t${index + 1}`).join('\n'));
  const request = await toRequest(path, { from: { file: 0, line: 9 }, shard: { index: 1, of: 3 }, maxRows: 3 });
  const chunks: unknown[] = [];
  for await (const { values, end } of readChunks(request)) chunks.push([values, end]);
  assert.deepEqual(chunks, [
    [['t11', 't14', 't17'], { file: 0, line: 17 }],
    [['t20'], { file: 0, line: 20 }],
  ]);
});

test('a chunk of long lines is small enough for one message', async () => {
  const path = join(folder, 'long.txt');
  writeFileSync(path, `${'x'.repeat(60_000)}\n`.repeat(100));
  for await (const { values } of readChunks(await toRequest(path))) {
    assert.ok(values.join('').length <= 2 * MIB);
    assert.ok(values.length > 1);
  }
});

test('what was read is let go', async () => {
  const path = join(folder, 'large.txt');
  const block = `${'x'.repeat(63)}\n`.repeat(MIB / 64);
  for (let mebibyte = 0; mebibyte < 96; mebibyte++) appendFileSync(path, block);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const measure = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / MIB;
  };
  // Both while it runs: at its end everything goes.
  let [rows, early, late] = [0, 0, 0];
  for await (const { values } of readChunks(await toRequest(path))) {
    rows += values.length;
    if (early === 0 && rows > 100_000) early = measure();
    if (late === 0 && rows > 1_500_000) late = measure();
  }
  assert.equal(rows, (96 * MIB) / 64);
  assert.ok(late > 0 && late - early < 24, `${early} MiB became ${late} MiB`);
});
