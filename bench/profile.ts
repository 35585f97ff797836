// npm run profile [-- introspect|filtered|tags|batch|check|echo] [--mtls] [--redis]: where the time of a saturated server goes, by
// part and by function, as Node's sampling profiler saw it. Over plaintext and LMDB unless told otherwise; batch and check
// are over mutual TLS alone.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AnswerBytes, BATCH_TOKENS, checkAnswers } from './answers.js';
import { startChild } from './child.js';
import { ASKED, batchCall, checkCall, introspectCall, introspectWithTagsCall } from './corpus.js';
import { parseCpuSeconds } from './cpu.js';
import { toEchoPath } from './echo-path.js';
import type { EchoQuestion } from './echo-server.js';
import { findEngines } from './engines.js';
import { formatProfile, type Profile } from './format-profile.js';
import type { LoadCall } from './http2-load.js';
import { startWireLoad } from './load/start-wire-load.js';
import { ANY, toWireCall } from './load/wire-call.js';
import type { Load } from './load-generator.js';
import type { PeerPorts } from './peers/peer-ports.js';
import type { PlaintextQuestion } from './plaintext-server.js';
import { startRedisServer } from './redis-server.js';
import { FULLEST } from './scenarios/unary-loads.js';
import { KEYS_FILE, type Site, startSite } from './site.js';

interface Subject {
  readonly caller: 'whole' | 'filtered' | 'proxy';
  readonly call: LoadCall;
  readonly answer: keyof Omit<AnswerBytes, 'samples'>;
  readonly load: Load;
}

/** What is profiled, and how it ends: the profile is written then. */
interface Profiled {
  readonly pid: number;
  readonly port: number;
  end(): Promise<unknown>;
}

const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  introspect: () => ({ caller: 'whole', call: introspectCall(), answer: 'whole', load: FULLEST.load }),
  filtered: () => ({ caller: 'filtered', call: introspectCall(), answer: 'filtered', load: FULLEST.load }),
  tags: () => ({ caller: 'whole', call: introspectWithTagsCall(), answer: 'whole', load: FULLEST.load }),
  batch: () => ({
    caller: 'whole',
    call: batchCall(BATCH_TOKENS),
    answer: 'batch',
    load: { connections: 2, streams: 2 },
  }),
  check: () => ({ caller: 'proxy', call: checkCall(), answer: 'check', load: FULLEST.load }),
  echo: () => ({ caller: 'whole', call: introspectCall(), answer: 'whole', load: FULLEST.load }),
};
const WARM_UP_MS = 3000;
const WINDOW_MS = 6000;
const SAMPLE_EVERY_US = 200;

const { values, positionals } = parseArgs({
  options: { mtls: { type: 'boolean', default: false }, redis: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [name = 'introspect'] = positionals;
const subject = SUBJECTS[name]?.();
if (subject === undefined) throw new Error(`there is ${Object.keys(SUBJECTS).join(', ')} to profile`);
const isMtls = values.mtls || name === 'check' || name === 'batch';

const folder = mkdtempSync(join(tmpdir(), 'introspectd-profile-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_EVERY_US}`];
const engine = findEngines(values.redis ? await startRedisServer(folder) : undefined).at(-1);
if (engine === undefined || (engine.name === 'redis') !== values.redis) throw new Error('there is no redis-server');
const isDaemon = isMtls && name !== 'echo';
const site = await startSite(engine, [ASKED], isDaemon ? nodeArgs : []);
try {
  console.log(await profile(subject));
} finally {
  await site.stop();
}
process.exit(0);

async function profile({ caller, call, answer, load }: Subject): Promise<string> {
  const answers = await checkAnswers(site);
  const profiled = await startProfiled(site, caller, answers[answer]);
  const path = name === 'echo' ? toEchoPath(answers[answer]) : call.path;
  const tls = isMtls ? site.workspace.tls(caller) : undefined;
  // What is as large as a batch is not for the wire load.
  const wire =
    name === 'batch'
      ? await site.startLoad('whole', call, load)
      : await startWireLoad({ port: profiled.port, tls, call: toWireCall({ ...call, path }, ANY), load });
  await wire.run(WARM_UP_MS);
  const before = readCpuSeconds(profiled.pid);
  const { perSecond, failed } = await wire.run(WINDOW_MS);
  const calls = (perSecond * WINDOW_MS) / 1000;
  const micros = ((readCpuSeconds(profiled.pid) - before) * 1e6) / calls;
  if (failed > 0) throw new Error(`${failed} calls failed`);
  const endedMs = performance.now();
  await wire.stop();
  await profiled.end();
  const lastMs = WINDOW_MS + performance.now() - endedMs;
  const [file = ''] = readdirSync(folder).filter((found) => found.endsWith('.cpuprofile'));
  const recorded = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const title = `${name}, ${isMtls ? 'mutual TLS' : 'plaintext'}, ${name === 'echo' ? 'no store' : site.engine.name}`;
  const rate = `${Math.round(perSecond)} calls/s, ${micros.toFixed(1)} us of processor a call, all threads, while it was profiled`;
  return `${title}: ${rate}\n\n${formatProfile(recorded, { lastMs, calls })}`;
}

async function startProfiled(
  { daemon, port, workspace }: Site,
  caller: Subject['caller'],
  answerBytes: number,
): Promise<Profiled> {
  if (isDaemon) return { pid: daemon.pid, port, end: () => daemon.stop('SIGTERM') };
  if (name === 'echo') {
    const echo = startChild<EchoQuestion, PeerPorts>('echo-server', nodeArgs);
    const ports = await echo.ask({ answerBytes: [answerBytes], tls: workspace.tls('server') });
    return { pid: echo.pid, port: isMtls ? ports.mtls : ports.plaintext, end: echo.end };
  }
  const plaintext = startChild<PlaintextQuestion, readonly number[]>('plaintext-server', nodeArgs);
  const { configFile, policyFile } = workspace;
  const keysFile = join(workspace.folder, KEYS_FILE);
  const [found = 0] = await plaintext.ask({
    configFile,
    keysFile,
    policyFile,
    identities: [`spiffe://demo/${caller}`],
  });
  return { pid: plaintext.pid, port: found, end: plaintext.end };
}

function readCpuSeconds(pid: number): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
