// What changing max_token_ttl and the lease does to what is there, to what comes, and to other daemons.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenStore } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, loadAll, makeEntry, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, START_MS, type StoreHarness } from './harness.js';

const TTL_MS = MAX_TOKEN_TTL_MS;
const LONGER_MS = 3 * MAX_TOKEN_TTL_MS;
const SHORTER_MS = HOUR_MS;
/** More than one step extends. */
const MANY = 450;
const CLIENT = { tag: tagOf('client', 'c'), issuerTag: ISSUER_TAG, beforeMs: undefined };

const entryOf = (name: string, claimedIssueMs: number, lifetimeMs: number) =>
  makeEntry(name, { claimedIssueMs, expMs: claimedIssueMs + lifetimeMs, client: 'c' });

async function countLive(store: TokenStore): Promise<number> {
  return (await loadAll(store)).flat().length;
}

async function leasesEndInMs({ revokeTag, revokeToken }: TokenStore): Promise<number> {
  const tag = await revokeTag(CLIENT);
  const token = await revokeToken(makeRevoke('leases'));
  assert.ok(token.outcome === 'revoked');
  assert.equal(token.leasesEndInMs, tag.leasesEndInMs);
  return tag.leasesEndInMs;
}

/** The last instant at which it is there. */
async function lastsUntil(harness: StoreHarness, endMs: number, isThere: () => Promise<boolean>): Promise<void> {
  harness.clockMs = endMs - 1;
  assert.equal(await isThere(), true, 'one millisecond before');
  harness.clockMs = endMs;
  assert.equal(await isThere(), false, 'at its end');
}

export function describeBounds(withStore: WithStore): void {
  describe('max_token_ttl and lease', () => {
    test(
      'a raised max_token_ttl lets longer tokens in, on every handle',
      withStore(async (harness) => {
        const second = await harness.openSecond();
        const longer = entryOf('a', START_MS, LONGER_MS);
        assert.deepEqual(await second.register([longer]), ['ttl_too_long']);
        await harness.store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        assert.deepEqual(await second.register([longer]), ['registered']);
        const { maxTokenTtlMs, isChanging } = await second.meta();
        assert.deepEqual([maxTokenTtlMs, isChanging], [LONGER_MS, false]);
      }),
    );

    test(
      'a raised max_token_ttl makes what is revoked last for the longer tokens, all of it',
      withStore(async (harness) => {
        const { store } = harness;
        for (let index = 0; index < MANY; index++) {
          await store.revokeTag({ ...CLIENT, tag: tagOf('grant', `g${index}`) });
          await store.revokeToken(makeRevoke(`unknown-${index}`));
        }
        await store.register([makeEntry('known')]);
        await store.revokeToken(makeRevoke('known'));
        harness.clockMs += HOUR_MS / 2;
        await store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        await harness.assertSound();
        const areThere = async () => {
          const names = Array.from({ length: MANY }, (_, index) => `unknown-${index}`);
          const there = await Promise.all(names.map((name) => readEntry(store, name)));
          const standing = there.filter((entry) => entry !== undefined).length;
          assert.equal(standing, await countLive(store));
          assert.ok(standing === 0 || standing === MANY);
          return standing === MANY;
        };
        await lastsUntil(
          harness,
          START_MS + HOUR_MS + LEASE_MS,
          async () => (await readEntry(store, 'known')) !== undefined,
        );
        await lastsUntil(harness, START_MS + HOUR_MS / 2 + LONGER_MS + LEASE_MS, areThere);
      }),
    );

    test(
      'a token that was issued before a revocation stays dead although it is longer than what was allowed then',
      withStore(async (harness) => {
        const { store } = harness;
        await store.revokeTag(CLIENT);
        harness.clockMs += HOUR_MS;
        await store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        assert.deepEqual(await store.register([entryOf('a', START_MS - HOUR_MS, LONGER_MS)]), ['registered']);
        harness.clockMs = START_MS - HOUR_MS + LONGER_MS - 1;
        assert.notEqual(await readEntry(store, 'a'), undefined);
        assert.equal(await countLive(store), 1, 'whoever reads it knows that its client was revoked');
      }),
    );

    test(
      'after a raise, a token that may be older than a forgotten revocation is refused, also a day later',
      withStore(async (harness) => {
        const { store } = harness;
        await store.revokeTag(CLIENT);
        harness.clockMs = START_MS + TTL_MS + LEASE_MS;
        assert.equal(await countLive(store), 0);
        await store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        const knownSinceMs = START_MS + LEASE_MS;
        const ages = [START_MS, knownSinceMs - 1000, knownSinceMs];
        for (const outcome of ['registered', 'unchanged']) {
          const entries = ages.map((issueMs) => entryOf(`t${issueMs}`, issueMs, LONGER_MS));
          assert.deepEqual(await store.register(entries), ['ttl_too_long', 'ttl_too_long', outcome]);
          harness.clockMs += HOUR_MS;
        }
      }),
    );

    test(
      'a store that is younger than max_token_ttl has forgotten nothing: a raise lets tokens of any age in',
      withStore(async (harness) => {
        harness.clockMs = START_MS + TTL_MS - 1;
        await harness.store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        const old = entryOf('a', START_MS - TTL_MS, LONGER_MS);
        assert.deepEqual(await harness.store.register([old]), ['registered']);
      }),
    );

    test(
      'a lowered max_token_ttl refuses new tokens and shortens nothing; what is revoked lasts for the longer ones',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([entryOf('a', START_MS, TTL_MS)]);
        harness.clockMs += 1000;
        await store.changeBounds({ maxTokenTtlMs: SHORTER_MS });
        const second = await harness.openSecond();
        assert.deepEqual(await second.register([entryOf('b', START_MS + 1000, SHORTER_MS + 1000)]), ['ttl_too_long']);
        assert.deepEqual(await second.register([entryOf('c', START_MS + 1000, SHORTER_MS)]), ['registered']);
        await second.revokeTag(CLIENT);
        await second.revokeToken(makeRevoke('unknown'));
        assert.equal((await store.meta()).revocationsOverMs, 0, 'no table may forget');
        harness.clockMs = START_MS + TTL_MS - 1;
        assert.notEqual(await readEntry(store, 'a'), undefined);
        assert.equal(await countLive(store), 1);
        const isThere = async () => (await countLive(store)) === 1 && (await readEntry(store, 'unknown')) !== undefined;
        await lastsUntil(harness, START_MS + 1000 + TTL_MS + LEASE_MS, isThere);
        await store.register([entryOf('d', harness.clockMs - (harness.clockMs % 1000), SHORTER_MS)]);
        const { revocationsOverMs, lastStoreTimeMs } = await store.meta();
        assert.equal(revocationsOverMs, lastStoreTimeMs - SHORTER_MS - LEASE_MS);
        await store.revokeTag(CLIENT);
        const endMs = harness.clockMs + SHORTER_MS + LEASE_MS;
        await lastsUntil(harness, endMs, async () => (await countLive(store)) === 1);
      }),
    );

    test(
      'a raised lease is waited for from the first moment that a read tells it',
      withStore(async (harness) => {
        const second = await harness.openSecond();
        assert.equal(await leasesEndInMs(second), LEASE_MS);
        await harness.store.changeBounds({ leaseMs: 5 * LEASE_MS });
        assert.equal((await second.meta()).leaseMs, 5 * LEASE_MS);
        assert.equal((await second.read([], undefined)).leaseMs, 5 * LEASE_MS);
        assert.equal(await leasesEndInMs(second), 5 * LEASE_MS);
      }),
    );

    test(
      'a lowered lease is waited for until the longer ones are over, by every handle, also after a restart',
      withStore(async (harness) => {
        await harness.store.changeBounds({ leaseMs: LEASE_MS / 4 });
        assert.equal((await harness.store.meta()).leaseMs, LEASE_MS / 4);
        const second = await harness.openSecond();
        assert.equal((await second.read([], undefined)).leaseMs, LEASE_MS / 4);
        assert.equal(await leasesEndInMs(second), LEASE_MS);
        harness.clockMs += LEASE_MS / 2;
        await harness.reopen();
        assert.equal(await leasesEndInMs(harness.store), LEASE_MS / 2);
        await harness.store.changeBounds({ leaseMs: LEASE_MS / 8 });
        assert.equal(await leasesEndInMs(second), LEASE_MS / 2, 'the longest, not the last');
        harness.clockMs += LEASE_MS / 2;
        assert.equal(await leasesEndInMs(second), LEASE_MS / 8);
      }),
    );

    test(
      'two changes at once leave a store that reckons with the larger, or one of them whole',
      withStore(async (harness) => {
        const second = await harness.openSecond();
        const changes = [
          harness.store.changeBounds({ maxTokenTtlMs: LONGER_MS }),
          second.changeBounds({ maxTokenTtlMs: SHORTER_MS }),
        ];
        const outcomes = await Promise.allSettled(changes);
        assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
        const { maxTokenTtlMs, isChanging } = await second.meta();
        assert.equal(isChanging, false);
        assert.ok([LONGER_MS, SHORTER_MS].includes(maxTokenTtlMs));
        await harness.store.changeBounds({ maxTokenTtlMs: LONGER_MS });
        assert.equal((await second.meta()).maxTokenTtlMs, LONGER_MS);
      }),
    );
  });
}
