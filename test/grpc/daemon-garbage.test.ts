// A whole daemon under load: what its calls leave behind dies young. Where it grows old, full collections have to find it,
// and calls cost a third more (docs/adr/0028). Collections are read off V8's own trace of them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { introspectCall } from '../../bench/corpus.js';
import { startWireLoad } from '../../bench/load/start-wire-load.js';
import { ANY, toWireCall } from '../../bench/load/wire-call.js';
import type { Load } from '../../bench/load-generator.js';
import { createKeysFile } from '../../src/config/keys-file.js';
import { startTestDaemon } from '../support/daemon.js';
import { REDIS_MISSING, startRedis } from '../support/redis-server.js';

/** Of collections of what is new that follow each other. */
const MIN_PAIRS = 10;
/** Until V8 has settled how large the room for what is new is. */
const WARM_UP_MS = 3000;
const LOAD_MS = 3000;
const FULL: Load = { connections: 4, streams: 25 };
/** So few at once that each has a read of its own. */
const SPARSE: Load = { connections: 1, streams: 2 };
/** 2 % are usual; with calls kept it is a quarter, with reads of Redis an eighth. */
const MAX_KEPT = 0.05;

test('calls leave nothing among what is old', (t) => measure(t, {}, FULL));

test('nor do reads of Redis', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedis();
  try {
    const keysFile = join(redis.folder, 'keys');
    await createKeysFile(keysFile);
    await measure(t, { store: { kind: 'redis', url: redis.url }, keys_file: keysFile }, SPARSE);
  } finally {
    await redis.close();
  }
});

async function measure(t: TestContext, config: Readonly<Record<string, unknown>>, load: Load): Promise<void> {
  const collector = new URL('../support/collect-on-signal.js', import.meta.url).href;
  const nodeArgs = ['--trace-gc', '--expose-gc', '--import', collector];
  const daemon = await startTestDaemon({ nodeArgs, config });
  try {
    const wire = await startWireLoad({
      port: Number(daemon.process.target.split(':').at(-1)),
      tls: daemon.workspace.tls('orders'),
      call: toWireCall(introspectCall(), ANY),
      load,
    });
    await wire.run(WARM_UP_MS);
    const running = wire.run(LOAD_MS);
    // What is under way in a full collection is old from then on: what it leads to would stay.
    await sleep(LOAD_MS / 10);
    process.kill(daemon.process.pid, 'SIGUSR2');
    await sleep(LOAD_MS / 10);
    const before = daemon.log().length;
    const { failed } = await running;
    await wire.stop();
    assert.equal(failed, 0);
    const { pairs, kept } = readTrace(daemon.log().slice(before));
    t.diagnostic(`${(100 * kept).toFixed(1)} % of what was allocated stayed, over ${pairs} collections`);
    assert.ok(pairs >= MIN_PAIRS, `${pairs} collections`);
    assert.ok(kept < MAX_KEPT, `${(100 * kept).toFixed(1)} % of what was allocated stayed`);
  } finally {
    await daemon.stop();
  }
}

/** Lines such as "Scavenge 40.6 (81.9) -> 32.2 (81.9) MB, 2.22 / 0.00 ms": the heap before and after it. */
function readTrace(text: string): { readonly pairs: number; readonly kept: number } {
  let [pairs, allocated, grown] = [0, 0, 0];
  let lastAfter: number | undefined;
  for (const line of text.split('\n')) {
    const [, before, after] = /Scavenge ([\d.]+) \([\d.]+\) -> ([\d.]+) /.exec(line) ?? [];
    if (before === undefined || after === undefined) {
      if (/Mark-Compact/.test(line)) lastAfter = undefined;
      continue;
    }
    if (lastAfter !== undefined) {
      pairs++;
      allocated += Number(before) - lastAfter;
      grown += Number(after) - lastAfter;
    }
    lastAfter = Number(after);
  }
  return { pairs, kept: grown / allocated };
}
