// What a store says of itself, which keys open it, and what a closed handle answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, loadAll, makeEntry, makeRevoke, unavailable } from './fixtures.js';
import { HOUR_MS, LEASE_MS, MAX_TOKEN_TTL_MS, OTHER_TAG_RING, RING, START_MS } from './harness.js';

export function describeMeta(withStore: WithStore): void {
  describe('meta', () => {
    test(
      'is made once, with the defaults of whoever made the store, and kept',
      withStore(async (harness) => {
        const meta = await harness.store.meta();
        assert.deepEqual(meta, {
          storeId: meta.storeId,
          partitions: 1,
          tagKeyCheck: RING.checks.tag,
          digestKeys: [
            {
              check: RING.checks.digests[0],
              reservedMs: START_MS,
              usedUntilMs: START_MS + MAX_TOKEN_TTL_MS + LEASE_MS + HOUR_MS,
            },
          ],
          maxTokenTtlMs: MAX_TOKEN_TTL_MS,
          leaseMs: LEASE_MS,
          isChanging: false,
          revocationsOverMs: START_MS - MAX_TOKEN_TTL_MS - LEASE_MS,
          lastStoreTimeMs: START_MS,
        });
        assert.match(meta.storeId, /^[0-9a-f-]{36}$/);
        await harness.reopen({ defaults: { maxTokenTtlMs: 1, leaseMs: 1, partitions: 2 } });
        assert.deepEqual(await harness.store.meta(), meta);
        await harness.store.ready();
      }),
    );

    test(
      'another tag key does not open it, and is told so',
      withStore(async (harness) => {
        const check = RegExp(`tag key.*${RING.checks.tag}.*keys_file`);
        await assert.rejects(async () => harness.openSecond({ keyChecks: OTHER_TAG_RING.checks }), unavailable(check));
      }),
    );

    test(
      'a closed handle is unavailable in every call',
      withStore(async (harness) => {
        const second = await harness.openSecond();
        await second.close();
        const closed = unavailable(/closed/);
        await assert.rejects(async () => second.read([], undefined), closed);
        await assert.rejects(async () => second.register([makeEntry('a')]), closed);
        await assert.rejects(async () => second.wouldRegister([makeEntry('a')]), closed);
        await assert.rejects(async () => second.revokeToken(makeRevoke('a')), closed);
        await assert.rejects(
          async () => second.revokeTag({ tag: ISSUER_TAG, issuerTag: ISSUER_TAG, beforeMs: undefined }),
          closed,
        );
        await assert.rejects(async () => loadAll(second), closed);
        await assert.rejects(async () => second.ready(), closed);
        await assert.rejects(async () => second.meta(), closed);
        await assert.rejects(async () => second.changeBounds({ leaseMs: 1 }), closed);
        await harness.store.ready();
      }),
    );
  });
}
