// How long a daemon takes from the start of its process until it says that it is ready.
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import type { DevWorkspace } from '../../src/cli/dev-workspace.js';
import type { Engine } from '../engines.js';
import { type FigureGroup, toFigureRows } from '../figures.js';
import { writeLiveRevocations } from '../live-revocations.js';
import { createBenchWorkspace, toDaemonRequest } from '../site.js';
import { type Spread, toSpread } from '../statistics.js';

const POLL_MS = 2;

/** Milliseconds, with an empty store. Each start but the first finds it made. */
export async function measureTimeToReady(engine: Engine, starts: number): Promise<Spread> {
  const workspace = await createBenchWorkspace(engine);
  try {
    return toSpread(await startAgainAndAgain(workspace, starts, 0));
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

/** With a store that holds so many live revocations: all of them are in memory before the daemon is ready. */
export async function measureLoadedStart(engine: Engine, revocations: number, starts: number): Promise<FigureGroup> {
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
