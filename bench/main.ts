// npm run bench [-- --quick]: measures, prints, and writes docs/benchmarks.json and docs/benchmarks.md.
// npm run bench -- --record-memory: measures that alone, and puts it into the report that is there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkAnswers } from './answers.js';
import type { BenchContext, Scenario } from './bench-context.js';
import { startChild } from './child.js';
import { ASKED, REVOKED } from './corpus.js';
import type { EchoPorts, EchoQuestion } from './echo-server.js';
import { type Engine, findEngines } from './engines.js';
import type { FigureGroup } from './figures.js';
import { formatEngines, formatFigures, formatGroup } from './format-report.js';
import { type RedisServer, startRedisServer } from './redis-server.js';
import { describeMachine, type EngineFacts, findRemarks, type Report } from './report.js';
import { readReport, writeReport } from './report-files.js';
import { type GroupResult, runGroup, type Schedule } from './rounds.js';
import { batch } from './scenarios/batch.js';
import { check } from './scenarios/check.js';
import { client, measureNearCache } from './scenarios/client.js';
import { measureEnvoyLatency } from './scenarios/envoy-latency.js';
import { INTROSPECT_LOADS } from './scenarios/introspect-loads.js';
import { introspectMtls } from './scenarios/introspect-mtls.js';
import { introspectPlaintext } from './scenarios/introspect-plaintext.js';
import { measureRecordMemory, RECORD_MEMORY } from './scenarios/record-memory.js';
import { measureRevocationTable } from './scenarios/revocation-table.js';
import { revokeUser } from './scenarios/revoke-user.js';
import { measureLoadedStart, measureTimeToReady } from './scenarios/startup.js';
import { measureWatching } from './scenarios/watching.js';
import { writes } from './scenarios/writes.js';
import { startSite } from './site.js';

const FULL: Schedule = { rounds: 7, windowMs: 2000, warmUpMs: 1000 };
const QUICK: Schedule = { rounds: 3, windowMs: 650, warmUpMs: 200 };
/** Over mutual TLS the quick run asks with this many calls in flight alone. */
const FULLEST = 100;
const STARTS = { full: 7, quick: 3 };
/** Both fill the hash tables of Redis, which double, to 95 %. */
const RECORDS = { full: 1_000_000, quick: 125_000 };
const LIVE_REVOCATIONS = { full: 1_000_000, quick: 100_000 };

// Writes last: they make the store grow.
const SCENARIOS: Readonly<Record<Engine['name'], readonly Scenario[]>> = {
  lmdb: [introspectPlaintext, introspectMtls, check, batch, client, writes, revokeUser],
  redis: [introspectMtls, check, batch, writes, revokeUser],
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, 'record-memory': { type: 'boolean', default: false } },
});
const mode = values.quick ? 'quick' : 'full';
const schedule = values.quick ? QUICK : FULL;

const folder = mkdtempSync(join(tmpdir(), 'introspectd-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

if (values['record-memory']) {
  const report = readReport();
  const others = report.figures.filter(({ title }) => !title.startsWith(RECORD_MEMORY));
  const measured = await measureRecordMemory(RECORDS[mode], folder);
  for (const group of measured) console.log(`${formatFigures(group)}\n`);
  writeReport({ ...report, figures: [...others, ...measured] });
  process.exit(0);
}

const redis = await startRedisServer(folder);
if (redis === undefined)
  console.error('SKIPPED: all rows with Redis; there is no redis-server and none can be installed');
const groups: GroupResult[] = [];
const engines: EngineFacts[] = [];
const figures: FigureGroup[] = [];
show(await measureRevocationTable(schedule.rounds));
show(await measureNearCache(schedule.rounds));
for (const engine of findEngines(redis)) {
  show(await measureLoadedStart(engine, LIVE_REVOCATIONS[mode], STARTS[mode]));
  show(await measureWatching(engine, schedule.rounds, schedule.windowMs));
  const measured = await measureEngine(engine, redis);
  engines.push(measured.facts);
  groups.push(...measured.groups);
  const latency = await measureEnvoyLatency(engine, schedule);
  if (latency !== undefined) show(latency);
}
await redis?.stop();
// It takes minutes.
if (!values.quick) for (const group of await measureRecordMemory(RECORDS[mode], folder)) show(group);
console.log(`${formatEngines(engines)}\n`);

const date = new Date().toISOString().slice(0, 10);
const skipped = redis === undefined ? ['No redis-server was there: the rows with Redis are missing.'] : [];
const remarks = [...skipped, ...findRemarks(groups)];
const machine = describeMachine(redis?.version);
const report: Report = { date, mode, machine, schedule, engines, groups, figures, remarks };
for (const remark of remarks) console.log(`NOTE: ${remark}`);
writeReport(report);
process.exit(0);

function show(group: FigureGroup): void {
  console.log(`${formatFigures(group)}\n`);
  figures.push(group);
}

async function measureEngine(
  engine: Engine,
  redisServer: RedisServer | undefined,
): Promise<{ readonly facts: EngineFacts; readonly groups: readonly GroupResult[] }> {
  const readyMs = await measureTimeToReady(engine, STARTS[mode]);
  const site = await startSite(engine);
  const answers = await checkAnswers(site);
  const echo = startChild<EchoQuestion, EchoPorts>('echo-server');
  const ports = await echo.ask({
    answerBytes: [...new Set(Object.values(answers))],
    tls: site.workspace.tls('server'),
  });
  const results: GroupResult[] = [];
  for (const scenario of SCENARIOS[engine.name]) {
    const stops: (() => Promise<void>)[] = [];
    const context: BenchContext = {
      site,
      answers,
      echo: { process: echo, ports },
      redis: redisServer,
      loads: INTROSPECT_LOADS.filter(
        ({ concurrency }) => !values.quick || scenario === introspectPlaintext || concurrency === FULLEST,
      ),
      cleanUp: (stop) => void stops.push(stop),
    };
    for (const group of await scenario(context)) {
      const result = await runGroup(group, schedule);
      console.log(`${formatGroup(result)}\n`);
      results.push(result);
    }
    for (const stop of stops) await stop();
  }
  await echo.stop();
  await site.stop();
  const filledTokens = ASKED.count + REVOKED.count;
  return { facts: { name: engine.name, readyMs, ...site.memory, filledTokens }, groups: results };
}
