// Registers until the disk is full, then says as JSON what was acknowledged, what still reads, and what works once there
// is room again.
import { spawnSync } from 'node:child_process';
import { StoreUnavailable } from '../../../src/core/errors.js';
import { makeEntry, makeRevoke, readEntry } from '../fixtures.js';
import { openChildStore } from './child-store.js';

const FAULTS = 10;
const nowMs = Math.floor(Date.now() / 1000) * 1000;
const makeLarge = (name: string) =>
  makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + 3_600_000, scope: 'x'.repeat(3000) });

const store = await openChildStore();
const acknowledged: string[] = [];
const details: string[] = [];
for (let count = 0; details.length < FAULTS && count < 5000; count++) {
  try {
    await store.register([makeLarge(`t${count}`)]);
    acknowledged.push(`t${count}`);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    details.push(error.detail);
  }
}

const lost: string[] = [];
for (const name of acknowledged) if ((await readEntry(store, name)) === undefined) lost.push(name);
await store.ready();

const [, , , makeRoom = '', ...args] = process.argv;
const room = spawnSync(
  makeRoom,
  args.map((arg) => arg.replace('PID', String(process.pid))),
  { stdio: 'inherit' },
);
const [outcome] = await store.register([makeLarge('after')]);
const revoked = await store.revokeToken(makeRevoke('t0'));
await store.close();
console.log(
  JSON.stringify({
    acknowledged: acknowledged.length,
    details,
    lost,
    after: [room.status, outcome, revoked.outcome],
  }),
);
