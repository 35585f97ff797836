// npm run profile [-- echo|introspect|filtered]: where the time of a saturated server goes, by function, as Node's sampling
// profiler saw it. Over plaintext, so that the generator (h2load) leaves the server a processor.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAnswers } from './answers.js';
import { introspectCall, PATHS } from './corpus.js';
import { toEchoPath } from './echo-path.js';
import { findEngines } from './engines.js';
import { formatProfile, type Profile } from './format-profile.js';
import { runH2load } from './h2load.js';
import { KEYS_FILE, startSite } from './site.js';

const WARM_UP_MS = 2000;
const WINDOW_MS = 6000;
const LOAD = { connections: 4, streams: 25 };

const [what = 'introspect'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'introspectd-profile-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const [engine] = findEngines(undefined);
if (engine === undefined) throw new Error('there is always LMDB');
const site = await startSite(engine);
const answers = await checkAnswers(site);
const { workspace } = site;

const isEcho = what === 'echo';
const server = fork(new URL(isEcho ? './echo-server.js' : './plaintext-server.js', import.meta.url), {
  execArgv: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'],
  serialization: 'advanced',
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
const { certFile, keyFile, caFile } = workspace.tls('whole');
server.send(
  isEcho
    ? { answerBytes: [answers.whole], tls: { certFile, keyFile, caFile } }
    : {
        storePath: workspace.storeFolder,
        keysFile: join(workspace.folder, KEYS_FILE),
        policyFile: workspace.policyFile,
        identities: ['spiffe://demo/whole', 'spiffe://demo/filtered'],
      },
);
const [{ answer }] = (await once(server, 'message')) as [{ answer: { plaintext: number } & readonly number[] }];
const port = isEcho ? answer.plaintext : answer[what === 'filtered' ? 1 : 0];
const bodyFile = join(folder, 'body');
await writeFile(bodyFile, introspectCall().frame);
const request = {
  url: `http://127.0.0.1:${port}${isEcho ? toEchoPath(answers.whole) : PATHS.introspect}`,
  bodyFile,
  answerBytes: (what === 'filtered' ? answers.filtered : answers.whole) + 5,
  ...LOAD,
};
await runH2load(request, WARM_UP_MS);
const { perSecond } = await runH2load(request, WINDOW_MS);
server.disconnect();
await once(server, 'exit');
const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
if (file === undefined) throw new Error('Node wrote no profile');
console.log(`${what}: ${Math.round(perSecond)} calls/s while it was profiled\n`);
console.log(formatProfile(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile));
await site.stop();
process.exit(0);
