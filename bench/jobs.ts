// npm run bench -- jobs [--engine lmdb|redis] [--tokens COUNT]: import, batch and batch --revoke of so many tokens by the
// commands as shipped, next to BatchIntrospect in the same run. What they answered is checked by a Python program that knows
// nothing of them. Prints a table; writes nothing.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDaemonProcess } from '../src/cli/daemon-process.js';
import { createDevWorkspace, type DevCaller } from '../src/cli/dev-workspace.js';
import { createKeysFile } from '../src/config/keys-file.js';
import { ASKED, AUDIENCE, batchCall, ISSUER, registerCall } from './corpus.js';
import { findEngines } from './engines.js';
import { type Load, startLoadGenerator } from './load-generator.js';
import { type MemorySpread, sampleMemory } from './memory-sampler.js';
import { startRedisServer } from './redis-server.js';
import { KEYS_FILE } from './site.js';

const BATCH_TOKENS = 1_000;
const REGISTER_ITEMS = 500;
const LOAD: Load = { connections: 2, streams: 2 };
const WINDOW_MS = 5_000;
const ANY_RATE = { per_second: 1_000_000, burst: 1_000_000 };
const SEES = { issuers: [ISSUER], audiences: [AUDIENCE] };
const CALLERS: readonly DevCaller[] = [
  { name: 'issuer', permissions: ['register'], ...SEES, audiences: ['*'] },
  { name: 'job', permissions: ['batch', 'stream'], ...SEES },
  { name: 'security', permissions: ['stream'], revoke: ['token'], ...SEES, revoke_rate: ANY_RATE },
];
const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
// Python is not compiled: the script stands in the sources.
const CORPUS = fileURLToPath(new URL('../../bench/jobs-corpus.py', import.meta.url));

const { values } = parseArgs({
  options: { engine: { type: 'string', default: 'lmdb' }, tokens: { type: 'string', default: '100000' } },
});
const count = Number(values.tokens);
const folder = mkdtempSync(join(tmpdir(), 'introspectd-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

const redis = values.engine === 'redis' ? await startRedisServer(folder) : undefined;
const engine = findEngines(redis).find(({ name }) => name === values.engine);
if (engine === undefined || !Number.isInteger(count) || count < 1) {
  console.error('--engine lmdb, or redis where there is a redis-server; --tokens is a whole number from 1');
  process.exit(2);
}
await createKeysFile(join(folder, KEYS_FILE));
const workspace = await createDevWorkspace({ folder, callers: CALLERS, strangers: [], config: engine.config() });
const daemon = await startDaemonProcess({ configFile: workspace.configFile, logFile: join(folder, 'daemon.log') });
process.on('exit', () => void daemon.stop('SIGKILL'));

corpus('make', ISSUER, AUDIENCE);
const fill = await startLoad('issuer', registerCall(REGISTER_ITEMS, ASKED));
await fill.send(ASKED.count / REGISTER_ITEMS);
await fill.stop();

const rows: Row[] = [];
rows.push(await runJob('import, dry run', 'import', 'issuer', ['import.ndjson.gz', '--dry-run']));
rows.push(await runJob('import', 'import', 'issuer', ['import.ndjson.gz', '--rejects', 'rejects.ndjson']));
rows.push(
  await runJob('batch --revoke', 'batch', 'security', ['leaked.txt', '--revoke', '--yes', '--out', 'report.ndjson']),
);
corpus('check-report');
const batch = await startLoad('job', batchCall(BATCH_TOKENS));
const before = await batch.run(WINDOW_MS);
const job = await runJob('batch', 'batch', 'job', ['tokens.txt', '--out', 'answers.ndjson']);
const after = await batch.run(WINDOW_MS);
await batch.stop();
corpus('check');
rows.push(job);

const batchPerSecond = ((before.perSecond + after.perSecond) / 2) * BATCH_TOKENS;
console.log(
  `${count.toLocaleString('en-US')} tokens, ${engine.name}: every line answered once, and as the check says.\n`,
);
console.log('| job | rows | rows/s | its memory, MiB | of the daemon, MiB |\n| --- | --- | --- | --- | --- |');
for (const row of rows) {
  const cells = [row.name, format(row.rows), format(row.perSecond), formatMemory(row.own), formatMemory(row.daemon)];
  console.log(`| ${cells.join(' | ')} |`);
}
console.log(`\nBatchIntrospect of ${BATCH_TOKENS} before and after: ${format(batchPerSecond)} tokens/s.`);
console.log(`batch / BatchIntrospect: ${(job.perSecond / batchPerSecond).toFixed(2)}`);
console.log('Memory: RssAnon + RssShmem, medians of the first and the last quarter of the job, and the most.');
process.exit(0);

interface Row {
  readonly name: string;
  readonly rows: number;
  readonly perSecond: number;
  readonly own: MemorySpread;
  readonly daemon: MemorySpread;
}

async function runJob(name: string, command: string, caller: string, [file = '', ...args]: string[]): Promise<Row> {
  const connection = ['--as', join(folder, caller), '--target', daemon.target];
  const startMs = performance.now();
  const child = spawn(process.execPath, [MAIN, command, ...connection, '--file', file, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [summary, said] = ['', ''];
  child.stdout.on('data', (chunk) => (summary += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const samples = sampleMemory([child.pid ?? 0, daemon.pid]);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - startMs) / 1_000;
  const [own, ofDaemon] = samples.stop();
  if (code !== 0 || own === undefined || ofDaemon === undefined)
    throw new Error(`${name} ended with ${code}:\n${said}`);
  // A batch that writes answers prints no summary: it is the one that has all the tokens.
  const rowCount = summary === '' ? count : (JSON.parse(summary) as { readonly lines: number }).lines;
  return { name, rows: rowCount, perSecond: rowCount / seconds, own, daemon: ofDaemon };
}

function startLoad(caller: string, call: ReturnType<typeof batchCall>) {
  return startLoadGenerator({ target: daemon.target, tls: workspace.tls(caller), call, load: LOAD });
}

function corpus(action: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync('python3', [CORPUS, action, folder, String(count), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`jobs-corpus.py ${action}: ${stderr}`);
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function formatMemory({ first, last, most }: MemorySpread): string {
  return [first, last, most].map((kib) => Math.round(kib / 1024)).join(' .. ');
}
