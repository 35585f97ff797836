// A whole daemon under load: what its calls leave behind dies young. Where it grows old, full collections have to find it,
// and calls cost a third more (docs/adr/0028). Collections are read off V8's own trace of them.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER, introspectCall, revokeUserCall } from '../../bench/corpus.js';
import type { LoadCall } from '../../bench/http2-load.js';
import { startWireLoad } from '../../bench/load/start-wire-load.js';
import { ANY, toWireCall } from '../../bench/load/wire-call.js';
import type { Load } from '../../bench/load-generator.js';
import type { DevCaller } from '../../src/cli/dev-workspace.js';
import { createKeysFile } from '../../src/config/keys-file.js';
import { startTestDaemon } from '../support/daemon.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';

/** Of collections of what is new that follow each other. */
const MIN_PAIRS = 20;
/** Until V8 has settled how large the room for what is new is. */
const WARM_UP_MS = 3000;
const LOAD_MS = 6000;
const SETTLE_MS = 300;
const FULL: Load = { connections: 4, streams: 25 };
/** So few at once that commits are not of many. */
const FEW: Load = { connections: 1, streams: 10 };
/** So few at once that each has a read of its own. */
const SPARSE: Load = { connections: 1, streams: 2 };
const CALLER: DevCaller = {
  ...{ name: 'all', permissions: ['introspect'], revoke: ['subject'], issuers: [ISSUER], audiences: ['*'] },
  revoke_rate: { per_second: 1_000_000, burst: 1_000_000 },
};
/** 2 % are usual, 1 to 1.7 % of revocations; with calls kept it is a quarter, with reads of Redis an eighth. */
const MAX_KEPT = 0.05;
/** With the turns of writes in a Map it was 5 % on Redis, with an accessor in each transaction 2.7 % on LMDB. */
const MAX_KEPT_OF_REVOCATIONS = 0.022;

const REVOCATIONS: Work = { load: FULL, call: revokeUserCall(), maxKept: MAX_KEPT_OF_REVOCATIONS };

test('calls leave nothing among what is old', (t) => measure(t, {}, { load: FULL, call: introspectCall() }));
test('nor do revocations', (t) => measure(t, {}, { ...REVOCATIONS, load: FEW }));

describe('nor do', { skip: REDIS_MISSING }, () => {
  let redis: TestRedis;
  let config: Readonly<Record<string, unknown>>;
  before(async () => {
    redis = await startRedis();
    const keysFile = join(redis.folder, 'keys');
    await createKeysFile(keysFile);
    config = { store: { kind: 'redis', url: redis.url }, keys_file: keysFile };
  });
  after(() => redis.close());

  it('reads of Redis', (t) => measure(t, config, { load: SPARSE, call: introspectCall() }));
  it('revocations on Redis', (t) => measure(t, config, REVOCATIONS));
});

interface Work {
  readonly load: Load;
  readonly call: LoadCall;
  readonly maxKept?: number;
}

async function measure(t: TestContext, config: Readonly<Record<string, unknown>>, work: Work): Promise<void> {
  const { load, call, maxKept = MAX_KEPT } = work;
  const collector = new URL('../support/collect-on-signal.js', import.meta.url).href;
  const nodeArgs = ['--trace-gc', '--expose-gc', '--import', collector];
  const daemon = await startTestDaemon({ nodeArgs, config, callers: [CALLER] });
  try {
    const wire = await startWireLoad({
      port: Number(daemon.process.target.split(':').at(-1)),
      tls: daemon.workspace.tls(CALLER.name),
      call: toWireCall(call, ANY),
      load,
    });
    await wire.run(WARM_UP_MS);
    const running = wire.run(LOAD_MS);
    // What is under way in a full collection is old from then on: what it leads to would stay.
    await sleep(SETTLE_MS);
    process.kill(daemon.process.pid, 'SIGUSR2');
    await sleep(SETTLE_MS);
    const before = daemon.log().length;
    const { failed } = await running;
    await wire.stop();
    assert.equal(failed, 0);
    const { pairs, kept } = readTrace(daemon.log().slice(before));
    t.diagnostic(`${(100 * kept).toFixed(1)} % of what was allocated stayed, over ${pairs} collections`);
    assert.ok(pairs >= MIN_PAIRS, `${pairs} collections`);
    assert.ok(kept < maxKept, `${(100 * kept).toFixed(1)} % of what was allocated stayed`);
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
