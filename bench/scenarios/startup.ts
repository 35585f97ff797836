// How long a daemon takes from the start of its process until it says that it is ready, with an empty store.
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../../src/cli/daemon-process.js';
import type { Engine } from '../engines.js';
import { createBenchWorkspace, toDaemonRequest } from '../site.js';
import { type Spread, toSpread } from '../statistics.js';

const POLL_MS = 2;

/** Milliseconds. Each start but the first finds a store. */
export async function measureTimeToReady(engine: Engine, starts: number): Promise<Spread> {
  const workspace = await createBenchWorkspace(engine);
  try {
    const times: number[] = [];
    for (let start = 0; start < starts; start++) {
      const startedMs = performance.now();
      const daemon = await startDaemonProcess(toDaemonRequest(workspace));
      try {
        while (!(await isReady(daemon.opsTarget))) await sleep(POLL_MS);
        times.push(performance.now() - startedMs);
      } finally {
        await daemon.stop('SIGKILL');
      }
    }
    return toSpread(times);
  } finally {
    rmSync(workspace.folder, { recursive: true, force: true });
  }
}

async function isReady(opsTarget: string): Promise<boolean> {
  const { ok } = await fetch(`http://${opsTarget}/readyz`, { headers: { connection: 'close' } });
  return ok;
}
