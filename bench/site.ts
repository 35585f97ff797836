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
export type ReaderName = 'whole' | 'filtered';
export type CallerName = 'issuer' | 'watcher' | 'proxy' | ReaderName;

export interface Site {
  readonly engine: Engine;
  readonly workspace: DevWorkspace;
  readonly daemon: DaemonProcess;
  /** Of its gRPC over mutual TLS. */
  readonly port: number;
  /** RssAnon, KiB: when it was ready, and with the tokens registered. */
  readonly memory: { readonly idleKib: number; readonly filledKib: number };
  /** For requests of any size. */
  startLoad(caller: CallerName, call: LoadCall, load: Load): Promise<LoadGenerator>;
  stop(): Promise<void>;
}

const READS = { permissions: ['introspect', 'batch', 'stream', 'watch'], issuers: [ISSUER], audiences: [AUDIENCE] };
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
  { name: 'proxy', ...READS, permissions: ['check'], claims: ['sub', 'client_id', 'scope'] },
  { name: 'watcher', permissions: ['watch'], issuers: [ISSUER], audiences: ['*'] },
];
/** Where the configuration of a workspace says it is. */
export const KEYS_FILE = 'introspectd.keys';
const FILL_ITEMS = 500;
const FILL_PIECE = 50_000;
const FILL_ATTEMPTS = 5;
const FILL_LOAD: Load = { connections: 1, streams: 4 };
const OPEN: (() => void)[] = [];
process.on('exit', () => {
  for (const end of OPEN) end();
});

const USUAL_TOKENS: readonly NumberRange[] = [ASKED, REVOKED];

/** `tokens` are registered before it resolves; the daemon runs with `nodeArgs`. */
export async function startSite(
  engine: Engine,
  tokens = USUAL_TOKENS,
  nodeArgs: readonly string[] = [],
): Promise<Site> {
  const workspace = await createBenchWorkspace(engine);
  const daemon = await startDaemonProcess({ ...toDaemonRequest(workspace), nodeArgs });
  OPEN.push(() => removeSite(daemon, workspace));
  const startLoad = (caller: CallerName, call: LoadCall, load: Load) =>
    startLoadGenerator({ target: daemon.target, tls: workspace.tls(caller), call, load });
  const idleKib = readRssAnonKib(daemon.pid);
  for (const range of tokens) await fill(range, startLoad);
  return {
    engine,
    workspace,
    daemon,
    port: Number(daemon.target.split(':').at(-1)),
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

/** In pieces, each of which may be repeated: a token that is there is registered again without a change. */
async function fill({ first, count }: NumberRange, startLoad: Site['startLoad']): Promise<void> {
  for (let done = 0; done < count; done += FILL_PIECE) {
    const piece = { first: first + done, count: Math.min(FILL_PIECE, count - done) };
    for (let attempt = 1; !(await tryFill(piece, startLoad)); attempt++) {
      if (attempt === FILL_ATTEMPTS) throw new Error('tokens cannot be registered');
    }
  }
}

async function tryFill(piece: NumberRange, startLoad: Site['startLoad']): Promise<boolean> {
  const generator = await startLoad('issuer', registerCall(FILL_ITEMS, piece), FILL_LOAD);
  try {
    await generator.send(piece.count / FILL_ITEMS);
    return true;
  } catch {
    return false;
  } finally {
    await generator.stop();
  }
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
