// What a store says of itself, which keys open it, and what a closed handle answers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, loadAll, makeEntry, makeRevoke } from './fixtures.js';
import { LACKING_RING, LEASE_MS, MAX_TOKEN_TTL_MS, OTHER_TAG_RING, RING, ROTATED_RING, START_MS } from './harness.js';

const unavailable = (detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreUnavailable);
  assert.match(error.detail, detail);
  return true;
};

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
          digestKeyChecks: RING.checks.digests,
          maxTokenTtlMs: MAX_TOKEN_TTL_MS,
          leaseMs: LEASE_MS,
          lastStoreTimeMs: START_MS,
        });
        assert.match(meta.storeId, /^[0-9a-f-]{36}$/);
        await harness.reopen({ defaults: { maxTokenTtlMs: 1, leaseMs: 1, partitions: 2 } });
        assert.deepEqual(await harness.store.meta(), meta);
        await harness.store.ready();
      }),
    );

    test(
      'takes a new writing key in, and stays open to a ring that has all of its keys',
      withStore(async (harness) => {
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const { digestKeyChecks } = await harness.store.meta();
        assert.deepEqual([...digestKeyChecks].sort(), [...ROTATED_RING.checks.digests].sort());
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        assert.deepEqual((await harness.store.meta()).digestKeyChecks, digestKeyChecks);
      }),
    );

    test(
      'a ring that lacks a key in use does not open it, and is told which',
      withStore(async (harness) => {
        const [lacking = ''] = RING.checks.digests;
        await assert.rejects(
          async () => harness.openSecond({ keyChecks: LACKING_RING.checks }),
          unavailable(RegExp(lacking)),
        );
        assert.deepEqual((await harness.store.meta()).digestKeyChecks, RING.checks.digests);
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
      'a running daemon whose ring lacks a key that another one began to write with is not ready and answers nothing',
      withStore(async (harness) => {
        const { store } = harness;
        await store.ready();
        await harness.openSecond({ keyChecks: ROTATED_RING.checks });
        const lacks = unavailable(/lacks a digest key/);
        await assert.rejects(async () => store.ready(), lacks);
        await assert.rejects(async () => store.read([], undefined), lacks);
        await assert.rejects(async () => store.register([makeEntry('a')]), lacks);
        await assert.rejects(async () => store.revokeToken(makeRevoke('a')), lacks);
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
        await assert.rejects(async () => second.revokeToken(makeRevoke('a')), closed);
        await assert.rejects(
          async () => second.revokeTag({ tag: ISSUER_TAG, issuerTag: ISSUER_TAG, beforeMs: undefined }),
          closed,
        );
        await assert.rejects(async () => loadAll(second), closed);
        await assert.rejects(async () => second.ready(), closed);
        await assert.rejects(async () => second.meta(), closed);
        await harness.store.ready();
      }),
    );
  });
}
