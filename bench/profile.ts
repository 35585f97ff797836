// npm run profile [-- introspect|filtered|batch|echo]: where the time of a saturated server goes, by part and by function,
// as Node's sampling profiler saw it. Over plaintext and LMDB; the load is h2load's, which leaves the server a processor.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnswerBytes, BATCH_TOKENS, checkAnswers } from './answers.js';
import { batchCall, introspectCall, PATHS } from './corpus.js';
import { parseCpuSeconds } from './cpu.js';
import { toEchoPath } from './echo-path.js';
import { findEngines } from './engines.js';
import { formatProfile, type Profile } from './format-profile.js';
import { GRPC_FRAME_HEADER_BYTES } from './grpc-frame.js';
import { isH2loadInstalled, runH2load } from './h2load.js';
import type { LoadCall } from './http2-load.js';
import { createNumberedBody } from './numbered-body.js';
import { KEYS_FILE, type Site, startSite } from './site.js';

interface Subject {
  readonly server: 'plaintext-server' | 'echo-server';
  readonly call: () => LoadCall;
  readonly answerBytes: keyof Pick<AnswerBytes, 'whole' | 'filtered' | 'batch'>;
  readonly load: { readonly connections: number; readonly streams: number };
}

const CALLS = { call: () => introspectCall(), load: { connections: 4, streams: 25 } };
const SUBJECTS: Readonly<Record<string, Subject>> = {
  introspect: { server: 'plaintext-server', answerBytes: 'whole', ...CALLS },
  filtered: { server: 'plaintext-server', answerBytes: 'filtered', ...CALLS },
  batch: {
    server: 'plaintext-server',
    answerBytes: 'batch',
    call: () => batchCall(BATCH_TOKENS),
    load: { connections: 2, streams: 2 },
  },
  echo: { server: 'echo-server', answerBytes: 'whole', ...CALLS },
};
const WARM_UP_MS = 3000;
const WINDOW_MS = 6000;
const SAMPLE_EVERY_US = 200;

const [name = 'introspect'] = process.argv.slice(2);
const subject = SUBJECTS[name];
if (subject === undefined) throw new Error(`there is ${Object.keys(SUBJECTS).join(', ')} to profile`);
if (!(await isH2loadInstalled())) throw new Error('there is no h2load (Debian: nghttp2-client)');
const [lmdb] = findEngines(undefined);
if (lmdb === undefined) throw new Error('there is always LMDB');

const folder = mkdtempSync(join(tmpdir(), 'introspectd-profile-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const site = await startSite(lmdb);
try {
  console.log(await profile(subject, site));
} finally {
  await site.stop();
}
process.exit(0);

async function profile({ server, answerBytes, call, load }: Subject, { workspace }: Site): Promise<string> {
  const bytes = (await checkAnswers(site))[answerBytes];
  const child = fork(new URL(`./${server}.js`, import.meta.url), {
    execArgv: ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_EVERY_US}`],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(toQuestion(workspace, bytes));
  const [{ answer }] = (await once(child, 'message')) as [{ answer: { plaintext: number } & readonly number[] }];
  const { path, frame, numbering } = call();
  const isEcho = server === 'echo-server';
  const port = isEcho ? answer.plaintext : answer[answerBytes === 'filtered' ? 1 : 0];
  const bodyFile = join(folder, 'body');
  await writeFile(bodyFile, createNumberedBody(Buffer.from(frame), numbering)());
  const request = {
    url: `http://127.0.0.1:${port}${isEcho ? toEchoPath(bytes) : path}`,
    bodyFile,
    answerBytes: bytes + GRPC_FRAME_HEADER_BYTES,
    ...load,
  };
  await runH2load(request, WARM_UP_MS);
  const before = readCpuSeconds(child.pid);
  const { perSecond, failed } = await runH2load(request, WINDOW_MS);
  const calls = (perSecond * WINDOW_MS) / 1000;
  const micros = ((readCpuSeconds(child.pid) - before) * 1e6) / calls;
  if (failed > 0) throw new Error(`${failed} calls failed`);
  child.disconnect();
  await once(child, 'exit');
  const [file = ''] = readdirSync(folder).filter((found) => found.endsWith('.cpuprofile'));
  const recorded = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const rate = `${Math.round(perSecond)} calls/s, ${micros.toFixed(1)} us of processor a call, all threads, while it was profiled`;
  return `${path === PATHS.batch ? `batch of ${BATCH_TOKENS}` : name}: ${rate}\n\n${formatProfile(recorded, { lastMs: WINDOW_MS, calls })}`;
}

/** What either server asks for. */
function toQuestion(workspace: Site['workspace'], answerBytes: number): object {
  const { certFile, keyFile, caFile } = workspace.tls('whole');
  return {
    answerBytes: [answerBytes],
    tls: { certFile, keyFile, caFile },
    configFile: workspace.configFile,
    storePath: workspace.storeFolder,
    keysFile: join(workspace.folder, KEYS_FILE),
    policyFile: workspace.policyFile,
    identities: ['spiffe://demo/whole', 'spiffe://demo/filtered'],
  };
}

function readCpuSeconds(pid = 0): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
