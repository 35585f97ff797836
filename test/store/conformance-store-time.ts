// The store time never steps back, for no handle and over no restart.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import type { TokenStore } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, makeEntry, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { RING, START_MS } from './harness.js';

const timeOf = async (store: TokenStore): Promise<number> => (await store.read([], undefined)).storeTimeMs;

export function describeStoreTime(withStore: WithStore): void {
  describe('store time', () => {
    test(
      'follows the clock, and never steps back with it',
      withStore(async (harness) => {
        assert.equal(await timeOf(harness.store), START_MS);
        harness.clockMs = START_MS + 500.75;
        assert.equal(await timeOf(harness.store), START_MS + 500, 'whole milliseconds');
        harness.clockMs = START_MS - 10_000;
        assert.equal(await timeOf(harness.store), START_MS + 500);
      }),
    );

    const MOVERS: readonly { readonly name: string; readonly move: (store: TokenStore) => Promise<unknown> }[] = [
      { name: 'register', move: (store) => store.register([makeEntry('a')]) },
      { name: 'register that changes nothing', move: (store) => store.register([]) },
      { name: 'revokeToken', move: (store) => store.revokeToken(makeRevoke('a', RING)) },
      {
        name: 'revokeTag',
        move: (store) => store.revokeTag({ tag: tagOf('jti', 'j'), issuerTag: ISSUER_TAG, beforeMs: undefined }),
      },
    ];
    for (const { name, move } of MOVERS) {
      test(
        `${name} moves it in the store: for every handle, and over a restart with the clock stepped back`,
        withStore(async (harness) => {
          harness.clockMs = START_MS + 7000;
          await move(harness.store);
          harness.clockMs = START_MS;
          assert.equal((await harness.store.meta()).lastStoreTimeMs, START_MS + 7000);
          assert.equal(await timeOf(await harness.openSecond()), START_MS + 7000);
          await harness.reopen();
          assert.equal(await timeOf(harness.store), START_MS + 7000);
        }),
      );
    }

    test(
      'is what registrations are stamped with and what revocations reach, whatever the clock says',
      withStore(async (harness) => {
        const { store } = harness;
        harness.clockMs = START_MS + 7000;
        await store.register([makeEntry('a')]);
        harness.clockMs = START_MS;
        await store.register([makeEntry('b', { claimedIssueMs: START_MS + 60_000 })]);
        const entry = await readEntry(store, 'b');
        assert.equal(entry && decodeEntry(entry).issueInstantMs, START_MS + 7000);
        const { beforeMs } = await store.revokeTag({ tag: ISSUER_TAG, issuerTag: ISSUER_TAG, beforeMs: undefined });
        assert.equal(beforeMs, START_MS + 7000);
      }),
    );
  });
}
