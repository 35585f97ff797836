// A daemon as shipped, in a folder of its own, with the tokens that the questions are about.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DaemonProcess, startDaemonProcess } from '../src/cli/daemon-process.js';
import { createDevWorkspace, type DevCaller, type DevWorkspace } from '../src/cli/dev-workspace.js';
import { createKeysFile } from '../src/config/keys-file.js';
import { ASKED, AUDIENCE, ISSUER, type NumberRange, REVOKED, registerCall } from './corpus.js';
import { readRssAnonKib } from './cpu.js';
import type { Engine } from './engines.js';
import type { LoadCall } from './http2-load.js';
import { type Load, type LoadGenerator, startLoadGenerator } from './load-generator.js';

/** whole: sees all claims of the tokens, whose bytes pass through. filtered: sees one, so they are decoded. */
export type CallerName = 'issuer' | 'whole' | 'filtered' | 'watcher' | 'proxy';

export interface Site {
  readonly engine: Engine;
  readonly workspace: DevWorkspace;
  readonly daemon: DaemonProcess;
  /** RssAnon, KiB: when it was ready, and with the tokens registered. */
  readonly memory: { readonly idleKib: number; readonly filledKib: number };
  startLoad(caller: CallerName, call: LoadCall, load: Load): Promise<LoadGenerator>;
  stop(): Promise<void>;
}

const READS = { permissions: ['introspect', 'batch', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] };
const CALLERS: readonly (DevCaller & { readonly name: CallerName })[] = [
  {
    name: 'issuer',
    permissions: ['register'],
    revoke: ['token', 'subject'],
    issuers: [ISSUER],
    audiences: ['*'],
    // Out of the way of what is measured.
    revoke_rate: { per_second: 1_000_000, burst: 1_000_000 },
  },
  { name: 'whole', ...READS },
  { name: 'filtered', ...READS, claims: ['scope'] },
  { name: 'watcher', permissions: ['watch'], issuers: [ISSUER], audiences: ['*'] },
  { name: 'proxy', ...READS, permissions: ['check'], claims: ['sub', 'client_id', 'scope'] },
];
/** Where the configuration of a workspace says it is. */
export const KEYS_FILE = 'introspectd.keys';
const FILL_ITEMS = 500;
const FILL_LOAD: Load = { connections: 1, streams: 4 };
const OPEN: (() => void)[] = [];
process.on('exit', () => {
  for (const end of OPEN) end();
});

export async function startSite(engine: Engine): Promise<Site> {
  const workspace = await createBenchWorkspace(engine);
  const daemon = await startDaemonProcess(toDaemonRequest(workspace));
  OPEN.push(() => removeSite(daemon, workspace));
  const startLoad = (caller: CallerName, call: LoadCall, load: Load) =>
    startLoadGenerator({ target: daemon.target, tls: workspace.tls(caller), call, load });
  const idleKib = readRssAnonKib(daemon.pid);
  for (const range of [ASKED, REVOKED]) await fill(range, startLoad);
  return {
    engine,
    workspace,
    daemon,
    memory: { idleKib, filledKib: readRssAnonKib(daemon.pid) },
    startLoad,
    stop: async () => {
      await daemon.stop('SIGKILL');
      rmSync(workspace.folder, { recursive: true, force: true });
    },
  };
}

export async function createBenchWorkspace({ config }: Engine): Promise<DevWorkspace> {
  const folder = mkdtempSync(join(tmpdir(), 'introspectd-bench-'));
  // A daemon makes its own only together with an embedded store.
  await createKeysFile(join(folder, KEYS_FILE));
  return createDevWorkspace({ folder, callers: CALLERS, strangers: [], config: config() });
}

export function toDaemonRequest({ folder, configFile }: DevWorkspace) {
  return { configFile, logFile: join(folder, 'daemon.log') };
}

async function fill({ first, count }: NumberRange, startLoad: Site['startLoad']): Promise<void> {
  const generator = await startLoad('issuer', registerCall(FILL_ITEMS, { first, count }), FILL_LOAD);
  await generator.send(count / FILL_ITEMS);
  await generator.stop();
}

/** When the benchmark ends before stop(). */
function removeSite(daemon: DaemonProcess, { folder }: DevWorkspace): void {
  if (!existsSync(folder)) return;
  try {
    process.kill(daemon.pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
  rmSync(folder, { recursive: true, force: true });
}
