// Registers and revokes until it is killed, some at once; names on stdout what was acknowledged.
import { writeSync } from 'node:fs';
import { makeEntry, makeRevoke } from '../fixtures.js';
import { openChildStore } from './child-store.js';

const LANES = 3;
const store = await openChildStore();
const nowMs = Math.floor(Date.now() / 1000) * 1000;

const revokeForever = async (lane: number): Promise<never> => {
  for (let count = 0; ; count++) {
    const name = `${process.pid}-${lane}-${count}`;
    await store.register([makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + 3_600_000 })]);
    const { outcome } = await store.revokeToken(makeRevoke(name));
    // A pipe takes this at once: what was written outlives the process.
    if (outcome === 'revoked') writeSync(1, `${name}\n`);
  }
};

await Promise.all(Array.from({ length: LANES }, (_, lane) => revokeForever(lane)));
