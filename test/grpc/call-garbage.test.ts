// What a call made goes with it: after a full collection, nothing of what came later may grow old. A set of calls that
// grows, and object literals with accessors, kept a quarter of all that was allocated (docs/adr/0028).
import assert from 'node:assert/strict';
import type { ServerHttp2Stream } from 'node:http2';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createCallLifetime } from '../../src/grpc/call-lifetime.js';
import { createInFlight } from '../../src/grpc/in-flight.js';
import { StreamTable } from '../../src/grpc/stream-table.js';

const CALLS = 20_000;
const AT_ONCE = 25;
/** What a call of grpc-js has with it, roughly. */
const WORDS = 256;
const ALLOCATED_MB = (CALLS * WORDS * 8) / 1e6;

describe('calls that are over', () => {
  it('take no room among what is old: their place', () => {
    const inFlight = createInFlight(AT_ONCE);
    const grown = growthOf(() => {
      const burden = new Array(WORDS).fill(0);
      return inFlight.enter(() => burden.length);
    });
    assert.ok(grown < ALLOCATED_MB / 8, `${grown} MB of ${ALLOCATED_MB}`);
  });

  it('take no room among what is old: their streams', () => {
    const table = new StreamTable();
    let id = 1;
    const grown = growthOf(() => {
      const mine = id;
      id += 2;
      table.set(mine, new Array(WORDS).fill(0) as unknown as ServerHttp2Stream);
      return () => table.delete(mine);
    });
    assert.ok(grown < ALLOCATED_MB / 8, `${grown} MB of ${ALLOCATED_MB}`);
  });

  it('take no room among what is old: their lifetime', () => {
    const grown = growthOf(() => {
      const burden = new Array(WORDS).fill(0);
      const call = { cancelled: false, getDeadline: () => burden.length + Date.now() + 1e9, once: () => assert.fail() };
      const lifetime = createCallLifetime(call, () => undefined);
      return () => lifetime.stop();
    });
    assert.ok(grown < ALLOCATED_MB / 8, `${grown} MB of ${ALLOCATED_MB}`);
  });
});

/** MB that old space has more after so many calls, of which some are always under way. */
function growthOf(begin: () => () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ends: (() => void)[] = [];
  const run = () => {
    for (let call = 0; call < CALLS; call++) {
      ends.push(begin());
      if (ends.length === AT_ONCE) ends.shift()?.();
    }
  };
  // Twice: what was there at the first collection may have been new.
  for (let time = 0; time < 2; time++) {
    run();
    collect();
  }
  const before = oldMegabytes();
  run();
  return oldMegabytes() - before;
}

function oldMegabytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space');
  return (space?.space_used_size ?? Number.NaN) / 1e6;
}
