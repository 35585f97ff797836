// Which digest keys a store needs, and until when: rotation, in every order that an operator may get it wrong.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import type { KeyRing } from '../../src/core/key-ring.js';
import type { TokenStore } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { makeEntry, makeRevoke, readEntry, unavailable } from './fixtures.js';
import {
  BOTH_RING,
  HOUR_MS,
  LACKING_RING,
  LEASE_MS,
  MAX_TOKEN_TTL_MS,
  RING,
  ROTATED_RING,
  START_MS,
  type StoreHarness,
} from './harness.js';

const [OLD = ''] = RING.checks.digests;
const [NEW = ''] = ROTATED_RING.checks.digests;
const LACKS = unavailable(/lacks a digest key.*needed until.*put its line there/);
/** What is written at a time lasts no longer. */
const LONGEST_MS = MAX_TOKEN_TTL_MS + LEASE_MS;

const open = (harness: StoreHarness, ring: KeyRing) => harness.openSecond({ keyChecks: ring.checks });
const usedUntil = async (store: TokenStore, check: string) =>
  (await store.meta()).digestKeys.find((key) => key.check === check)?.usedUntilMs;

/** By the second, which is how exp counts. */
const entryAt = (harness: StoreHarness, name: string, ring: KeyRing, lifetimeMs = HOUR_MS) => {
  const nowMs = Math.floor(harness.clockMs / 1000) * 1000;
  return makeEntry(name, { claimedIssueMs: nowMs, expMs: nowMs + lifetimeMs }, ring);
};

async function answersNothing(store: TokenStore, ring: KeyRing): Promise<void> {
  await assert.rejects(async () => store.ready(), LACKS);
  await assert.rejects(async () => store.read([], undefined), LACKS);
  await assert.rejects(async () => store.register([makeEntry('a', {}, ring)]), LACKS);
  await assert.rejects(async () => store.revokeToken(makeRevoke('a', ring)), LACKS);
  await assert.rejects(async () => store.changeBounds({ leaseMs: LEASE_MS }), LACKS);
}

export function describeKeys(withStore: WithStore): void {
  describe('digest keys', () => {
    test(
      'a key that is only read is not needed; one that is written with is from the opening on, and the old one still',
      withStore(async (harness) => {
        await open(harness, BOTH_RING);
        assert.equal(await usedUntil(harness.store, NEW), undefined);
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        assert.equal(await usedUntil(harness.store, NEW), START_MS + LONGEST_MS + HOUR_MS);
        assert.equal(await usedUntil(harness.store, OLD), START_MS + LONGEST_MS + HOUR_MS);
        const { digestKeys } = await harness.store.meta();
        await harness.reopen({ keyChecks: BOTH_RING.checks });
        assert.deepEqual((await harness.store.meta()).digestKeys, digestKeys, 'opened again, nothing is written');
      }),
    );

    test(
      'a ring that lacks a key in use does not open it, and is told which',
      withStore(async (harness) => {
        await assert.rejects(async () => open(harness, LACKING_RING), unavailable(RegExp(OLD)));
        assert.equal(await usedUntil(harness.store, NEW), undefined);
      }),
    );

    test(
      'a running daemon whose ring lacks a key that another one began to write with is not ready and answers nothing',
      withStore(async (harness) => {
        const { store } = harness;
        await store.ready();
        await open(harness, ROTATED_RING);
        await answersNothing(store, RING);
      }),
    );

    test(
      'what stands under the old key is found, refused and revoked by who writes with the new one',
      withStore(async (harness) => {
        await harness.store.register([makeEntry('a', {}, BOTH_RING), makeEntry('b', {}, BOTH_RING)]);
        const rotated = await open(harness, ROTATED_RING);
        const other = { scope: 'write' };
        assert.deepEqual(
          await rotated.register([makeEntry('a', {}, ROTATED_RING), makeEntry('a', other, ROTATED_RING)]),
          ['unchanged', 'exists'],
        );
        const result = await rotated.revokeToken(makeRevoke('a', ROTATED_RING));
        assert.equal(result.outcome === 'revoked' && result.replaced && decodeEntry(result.replaced).kind, 'record');
        for (const ring of [RING, LACKING_RING]) {
          const entry = await readEntry(rotated, 'a', ring);
          assert.equal(entry && decodeEntry(entry).kind, 'tombstone', 'under the old key and under the new one');
        }
        assert.deepEqual(await rotated.register([makeEntry('a', {}, ROTATED_RING)]), ['revoked']);
        const both = await open(harness, BOTH_RING);
        assert.deepEqual(await both.register([makeEntry('a', {}, BOTH_RING)]), ['revoked']);
        const alive = await readEntry(both, 'b');
        assert.equal(alive && decodeEntry(alive).kind, 'record');
        await harness.assertSound();
      }),
    );

    test(
      'a key is out of use when nothing stands under it any more, to the millisecond, and may go then',
      withStore(async (harness) => {
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const endMs = START_MS + LONGEST_MS + HOUR_MS;
        harness.clockMs = endMs - 1;
        await harness.store.register([entryAt(harness, 'a', ROTATED_RING)]);
        assert.equal(await usedUntil(harness.store, OLD), endMs);
        await assert.rejects(async () => open(harness, LACKING_RING), LACKS);
        harness.clockMs = endMs;
        const lacking = await open(harness, LACKING_RING);
        assert.equal(await usedUntil(lacking, OLD), endMs, 'and is told as long as no other key comes');
        const entry = await readEntry(lacking, 'a', LACKING_RING);
        assert.equal(entry && decodeEntry(entry).kind, 'record');
      }),
    );

    test(
      'who still writes with a key keeps it in use; after a pause, the next write takes the ones that lack it out',
      withStore(async (harness) => {
        const { store } = harness;
        for (const stepMs of [HOUR_MS / 2, HOUR_MS, LONGEST_MS]) {
          harness.clockMs += stepMs;
          await store.register([entryAt(harness, `t${stepMs}`, RING)]);
          const untilMs = await usedUntil(store, OLD);
          assert.ok(untilMs !== undefined && untilMs >= harness.clockMs + LONGEST_MS);
        }
        const endMs = (await usedUntil(store, OLD)) ?? 0;
        const rotated = await open(harness, ROTATED_RING);
        await rotated.close();
        await harness.reopen({ keyChecks: BOTH_RING.checks });
        harness.clockMs = endMs;
        const lacking = await open(harness, LACKING_RING);
        await lacking.ready();
        await harness.store.revokeToken(makeRevoke('late', BOTH_RING));
        await answersNothing(lacking, LACKING_RING);
      }),
    );

    test(
      'an unknown token that is revoked again outlives the old key',
      withStore(async (harness) => {
        await harness.store.revokeToken(makeRevoke('a', BOTH_RING));
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const endMs = (await usedUntil(harness.store, OLD)) ?? 0;
        harness.clockMs += 2 * HOUR_MS;
        const again = await harness.store.revokeToken(makeRevoke('a', ROTATED_RING, 0));
        assert.equal(again.outcome, 'revoked', 'it is known: no room is asked for');
        harness.clockMs = endMs;
        assert.equal(await readEntry(harness.store, 'a', RING), undefined, 'nothing stands under the old key');
        harness.clockMs = START_MS + 2 * HOUR_MS + LONGEST_MS - 1;
        const entry = await readEntry(harness.store, 'a', LACKING_RING);
        assert.equal(entry && decodeEntry(entry).kind, 'tombstone');
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        assert.deepEqual(await harness.store.register([entryAt(harness, 'a', ROTATED_RING)]), ['revoked']);
        await harness.assertSound();
      }),
    );

    test(
      'the tombstone of a known token lasts a lease beyond exp under the new key',
      withStore(async (harness) => {
        await harness.store.register([makeEntry('a', { expMs: START_MS + MAX_TOKEN_TTL_MS }, BOTH_RING)]);
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        await harness.store.revokeToken(makeRevoke('a', ROTATED_RING));
        harness.clockMs = START_MS + MAX_TOKEN_TTL_MS + LEASE_MS - 1;
        assert.equal(await readEntry(harness.store, 'a', RING), undefined);
        assert.notEqual(await readEntry(harness.store, 'a', LACKING_RING), undefined);
      }),
    );
  });
}
