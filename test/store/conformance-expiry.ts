// When entries and live revocations end, to the millisecond, and that nothing else goes with them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import { END_OF_TIME_MS } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, loadAll, makeEntry, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, START_MS, type StoreHarness } from './harness.js';

const EXP_MS = START_MS + HOUR_MS;

/** There up to the last millisecond, gone with the next. */
async function endsAt(harness: StoreHarness, endMs: number, isThere: () => Promise<boolean>): Promise<void> {
  harness.clockMs = endMs - 1;
  assert.equal(await isThere(), true, 'one millisecond before');
  harness.clockMs = endMs;
  assert.equal(await isThere(), false, 'at its end');
}

export function describeExpiry(withStore: WithStore): void {
  describe('expiry', () => {
    test(
      'a record ends at exp, and may then be registered anew',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([makeEntry('a')]);
        await endsAt(harness, EXP_MS, async () => (await readEntry(store, 'a')) !== undefined);
        const next = makeEntry('a', { scope: 'write', claimedIssueMs: EXP_MS, expMs: EXP_MS + HOUR_MS });
        assert.deepEqual(await store.register([next]), ['registered']);
      }),
    );

    test(
      'an expired record is unknown to a revocation, and its grant is left alone',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([makeEntry('r', { tokenUse: 'refresh_token', grant: 'g' })]);
        harness.clockMs = EXP_MS;
        const result = await store.revokeToken(makeRevoke('r'));
        assert.equal(result.outcome === 'revoked' && result.replaced, undefined);
        assert.deepEqual(await loadAll(store), []);
        const entry = await readEntry(store, 'r');
        assert.equal(entry && decodeEntry(entry).iss, '');
      }),
    );

    test(
      'a tombstone ends a lease after exp, also when it was repeated',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([makeEntry('a')]);
        await store.revokeToken(makeRevoke('a'));
        harness.clockMs = EXP_MS + LEASE_MS - 10;
        await store.revokeToken(makeRevoke('a'));
        await endsAt(harness, EXP_MS + LEASE_MS, async () => (await readEntry(store, 'a')) !== undefined);
      }),
    );

    test(
      'the tombstone of an unknown token ends max_token_ttl and a lease after its last revocation',
      withStore(async (harness) => {
        const { store } = harness;
        await store.revokeToken(makeRevoke('a'));
        harness.clockMs += HOUR_MS;
        await store.revokeToken(makeRevoke('a'));
        const endMs = START_MS + HOUR_MS + MAX_TOKEN_TTL_MS + LEASE_MS;
        await endsAt(harness, endMs, async () => (await readEntry(store, 'a')) !== undefined);
        const claims = { claimedIssueMs: endMs, expMs: Math.ceil((endMs + HOUR_MS) / 1000) * 1000 };
        assert.deepEqual(await store.register([makeEntry('a', claims)]), ['registered']);
      }),
    );

    test(
      'a live revocation ends max_token_ttl and a lease after it was last said, then refuses no more',
      withStore(async (harness) => {
        const { store } = harness;
        const command = { tag: tagOf('grant', 'g'), issuerTag: ISSUER_TAG, beforeMs: END_OF_TIME_MS };
        await store.revokeTag(command);
        harness.clockMs += HOUR_MS;
        await store.revokeTag(command);
        const endMs = START_MS + HOUR_MS + MAX_TOKEN_TTL_MS + LEASE_MS;
        await endsAt(harness, endMs, async () => (await loadAll(store)).length > 0);
        const claims = { grant: 'g', claimedIssueMs: endMs, expMs: Math.ceil((endMs + HOUR_MS) / 1000) * 1000 };
        assert.deepEqual(await store.register([makeEntry('a', claims)]), ['registered']);
        const { beforeMs } = await store.revokeTag({ ...command, beforeMs: 5 });
        assert.equal(beforeMs, 5, 'the expired one is as if it were not there');
      }),
    );

    test(
      'sweeping takes what has expired and nothing else',
      withStore(async (harness) => {
        const { store } = harness;
        const short = Array.from({ length: 200 }, (_, index) => makeEntry(`s${index}`));
        const long = Array.from({ length: 20 }, (_, index) => makeEntry(`l${index}`, { expMs: EXP_MS + HOUR_MS }));
        await store.register([...short, ...long]);
        for (let index = 0; index < 10; index++) await store.revokeToken(makeRevoke(`l${index}`));
        harness.clockMs = EXP_MS + LEASE_MS;
        // Writes sweep: enough of them to have gone through all that expired.
        for (let index = 0; index < 30; index++)
          await store.register([makeEntry('again', { expMs: EXP_MS + HOUR_MS })]);
        for (let index = 0; index < 20; index++) {
          const entry = await readEntry(store, `l${index}`);
          assert.equal(entry && decodeEntry(entry).kind, index < 10 ? 'tombstone' : 'record');
        }
        assert.equal(await readEntry(store, 's7'), undefined);
        await harness.assertSound();
      }),
    );
  });
}
