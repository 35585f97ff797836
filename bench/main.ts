// npm run bench [-- --quick | --large] [--only PART,...]: measures, prints, and writes docs/benchmarks.json and what is made
// of it; with --only, the other parts of the report stay. --guard: writes nothing, and compares with the report instead.
// --format: measures nothing, and writes what is made of the report.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchSize } from './bench-context.js';
import { formatGuard, guard } from './guard.js';
import { measureParts } from './measure.js';
import { selectParts } from './parts.js';
import { startRedisServer } from './redis-server.js';
import { describeMachine, findRemarks, mergeParts } from './report.js';
import { readReport, writeReport } from './report-files.js';
import type { Schedule } from './rounds.js';

const FULL: Schedule = { rounds: 7, windowMs: 1000, warmUpMs: 700 };
const QUICK: Schedule = { rounds: 3, windowMs: 650, warmUpMs: 200 };

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    guard: { type: 'boolean', default: false },
    format: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const size: BenchSize = values.quick ? 'quick' : values.large ? 'large' : 'full';
const only = values.only.split(',').filter((name) => name !== '');
const parts = selectParts(only, size);
if (typeof parts === 'string') {
  console.error(parts);
  process.exit(2);
}

if (values.format) {
  writeReport(readReport());
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'introspectd-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const redis = await startRedisServer(folder);
if (redis === undefined) {
  console.error('SKIPPED: all rows with Redis; there is no redis-server and none can be installed');
}
const bench = { size, schedule: values.quick ? QUICK : FULL, folder, redis };

if (values.guard) {
  const verdict = await guard(readReport(), parts, (some) => measureParts(bench, some));
  console.log(formatGuard(verdict));
  process.exit(verdict.dropped.length > 0 || verdict.compared === 0 ? 1 : 0);
}

const measured = await measureParts(bench, parts);
const machine = describeMachine(redis?.version);
const report = only.length > 0 ? mergeParts(readReport(), machine, measured) : { machine, parts: measured };
for (const remark of findRemarks(measured)) console.log(`NOTE: ${remark}`);
writeReport(report);
process.exit(0);
