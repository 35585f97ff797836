// A good client that goes on while a test attacks the daemon, and the daemon's memory seen from outside.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDaemon } from '../../support/daemon.js';

export interface Bystander {
  /** Fails unless every answer was right, in time, and the daemon's memory stayed within the bound. */
  stopUnharmed(bounds: { readonly growthBytes: number }): Promise<void>;
}

export const GOOD_TOKEN = 'bystander-token';
/** Four times what a call waits when attacker, daemon and bystander share two busy processors. */
const SLOWEST_MS = 3000;
const PAUSE_MS = 5;

export async function startBystander(daemon: TestDaemon): Promise<Bystander> {
  const client = daemon.client('orders');
  const ask = async () => (await client.introspect(GOOD_TOKEN)).active;
  assert.equal(await ask(), true);
  const before = anonymousBytes(daemon.process.pid);
  const seen = { calls: 0, wrong: 0, slowestMs: 0, peakBytes: before };
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      const isRight = await ask().catch(() => false);
      seen.calls += 1;
      if (!isRight) seen.wrong += 1;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - startedMs);
      seen.peakBytes = Math.max(seen.peakBytes, anonymousBytes(daemon.process.pid));
      await sleep(PAUSE_MS);
    }
  })();
  return {
    stopUnharmed: async ({ growthBytes }) => {
      isOver = true;
      await running;
      const growth = seen.peakBytes - before;
      const told = `${seen.calls} calls, slowest ${Math.round(seen.slowestMs)} ms, memory +${Math.round(growth / 1e6)} MB`;
      assert.equal(await ask(), true);
      assert.equal(seen.wrong, 0, told);
      assert.ok(seen.slowestMs < SLOWEST_MS, told);
      assert.ok(growth < growthBytes, told);
      console.log(told);
    },
  };
}

/** RssAnon: the pages of the LMDB map are not the daemon's to free. */
function anonymousBytes(pid: number): number {
  const kilobytes = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
