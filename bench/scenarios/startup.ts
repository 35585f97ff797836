// How long a daemon takes from the start of its process until it says that it is ready, and what memory it has then.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import type { DevWorkspace } from '../../src/cli/dev-workspace.js';
import type { BenchContext } from '../bench-context.js';
import { ASKED, REVOKED } from '../corpus.js';
import type { Engine } from '../engines.js';
import { type FigureGroup, type FigureRow, toFigureRows } from '../figures.js';
import { writeLiveRevocations } from '../live-revocations.js';
import { createBenchWorkspace, type Site, toDaemonRequest } from '../site.js';
import { toSpread } from '../statistics.js';

const POLL_MS = 2;
/** Of stat(2), whatever the file system has. */
const BLOCK_BYTES = 512;
const STARTS = { quick: 3, full: 7, large: 7 } as const;
const LIVE_REVOCATIONS = { quick: 100_000, full: 1_000_000, large: 1_000_000 } as const;

/** Of a daemon as it is: how fast it is ready with an empty store, and its memory before and after the tokens came. */
export async function measureDaemon({ site, size }: BenchContext): Promise<readonly FigureGroup[]> {
  const starts = STARTS[size];
  const readyMs = await measureTimeToReady(site.engine, starts);
  const { idleKib, filledKib } = site.memory;
  const tokens = (ASKED.count + REVOKED.count).toLocaleString('en-US');
  return [
    {
      title: `A daemon at rest, ${site.engine.name}`,
      rows: [
        { name: 'from the start of the process to ready', unit: 'ms', value: toSpread(readyMs) },
        { name: 'RssAnon when it is ready', unit: 'MiB', value: toSpread([idleKib / 1024]) },
        { name: `RssAnon after ${tokens} tokens were registered`, unit: 'MiB', value: toSpread([filledKib / 1024]) },
        ...toFileRow(site),
      ],
    },
    await measureLoadedStart(site.engine, LIVE_REVOCATIONS[size], starts),
  ];
}

/** What LMDB takes on disk, which is also what it maps; of Redis tells record-memory.ts. */
function toFileRow({ engine, workspace }: Site): readonly FigureRow[] {
  if (engine.name !== 'lmdb') return [];
  const files = readdirSync(workspace.storeFolder).map((name) => statSync(join(workspace.storeFolder, name)));
  const bytes = files.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
  const value = toSpread([bytes / (ASKED.count + REVOKED.count)]);
  return [{ name: 'files of the store, for each of these tokens', unit: 'B', value }];
}

/** Milliseconds, with an empty store. Each start but the first finds it made. */
async function measureTimeToReady(engine: Engine, starts: number): Promise<readonly number[]> {
  const workspace = await createBenchWorkspace(engine);
  try {
    return await startAgainAndAgain(workspace, starts, 0);
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

/** With a store that holds so many live revocations: all of them are in memory before the daemon is ready. */
async function measureLoadedStart(engine: Engine, revocations: number, starts: number): Promise<FigureGroup> {
  const workspace = await createBenchWorkspace(engine);
  try {
    await writeLiveRevocations(workspace.configFile, revocations);
    const samples = (await startAgainAndAgain(workspace, starts, revocations)).map((readyMs) => ({ readyMs }));
    return {
      title: `Start with ${revocations.toLocaleString('en-US')} live revocations, ${engine.name}`,
      rows: toFigureRows(samples, { readyMs: { name: 'from the start of the process to ready', unit: 'ms' } }),
    };
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

/** Throws when a daemon is ready and does not hold as many revocations. */
async function startAgainAndAgain(
  workspace: DevWorkspace,
  starts: number,
  revocations: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let start = 0; start < starts; start++) {
    const startedMs = performance.now();
    const daemon = await startDaemonProcess(toDaemonRequest(workspace));
    try {
      while (!(await isReady(daemon.opsTarget))) await sleep(POLL_MS);
      times.push(performance.now() - startedMs);
      const held = await readLiveRevocations(daemon.opsTarget);
      if (held !== revocations) throw new Error(`the daemon is ready and holds ${held} of ${revocations} revocations`);
    } finally {
      await daemon.stop('SIGKILL');
    }
  }
  return times;
}

async function isReady(opsTarget: string): Promise<boolean> {
  const { ok } = await fetch(`http://${opsTarget}/readyz`, { headers: { connection: 'close' } });
  return ok;
}

async function readLiveRevocations(opsTarget: string): Promise<number> {
  const text = await (await fetch(`http://${opsTarget}/metrics`, { headers: { connection: 'close' } })).text();
  return Number(/^introspectd_revocations_live(?:\{.*\})? (\S+)$/m.exec(text)?.[1]);
}
