// Waiting for the log: woken by every handle, ended by a signal, never for good.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Cursor, TokenStore } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, tagOf } from './fixtures.js';

const BOUND_MS = 5000;

export function describeAwaitLog(withStore: WithStore): void {
  describe('awaitLog', () => {
    test(
      'resolves when the log has grown already',
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        await revoke(store);
        await within(store.awaitLog(cursor, new AbortController().signal));
      }),
    );

    test(
      'waits while nothing was written, and wakes all who wait when this handle writes',
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        const { signal } = new AbortController();
        let woken = 0;
        const waits = [1, 2, 3].map(() => store.awaitLog(cursor, signal).then(() => woken++));
        await turns();
        assert.equal(woken, 0);
        await revoke(store);
        await within(Promise.all(waits));
      }),
    );

    test(
      'wakes when another handle writes, at once and not when it looks again',
      withStore(async (harness) => {
        const { store } = harness;
        const second = await harness.openSecond();
        const { signal } = new AbortController();
        // Before: a connection of its own may be made for the first who waits.
        let { cursor } = await store.read([], undefined);
        const startedMs = performance.now();
        for (let round = 0; round < 10; round++) {
          const wait = store.awaitLog(cursor, signal);
          await turns();
          await revoke(second);
          await within(wait);
          ({ cursor } = await store.read([], cursor));
        }
        // Ten waits of the second after which engines look again would take ten.
        assert.ok(performance.now() - startedMs < BOUND_MS);
      }),
    );

    test(
      'ends when it is aborted',
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        const stop = new AbortController();
        const wait = store.awaitLog(cursor, stop.signal);
        stop.abort();
        await within(wait);
        await within(store.awaitLog(cursor, stop.signal));
      }),
    );

    test(
      'does not wait at a place that is not in the log',
      withStore(async ({ store }) => {
        await within(store.awaitLog('nowhere' as Cursor, new AbortController().signal));
      }),
    );

    test(
      'comes back from a store that was wiped',
      withStore(async (harness) => {
        const { store } = harness;
        await revoke(store);
        const { cursor } = await store.read([], undefined);
        const wait = store.awaitLog(cursor, new AbortController().signal);
        await harness.wipe();
        await within(wait);
        assert.equal((await store.read([], cursor)).reset, true);
      }),
    );
  });
}

async function revoke(store: TokenStore): Promise<void> {
  await store.revokeTag({ tag: tagOf('jti', 'j'), issuerTag: ISSUER_TAG, beforeMs: undefined });
}

/** Long enough for a wait that would not wait to be over. */
async function turns(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

async function within(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${BOUND_MS} ms`)), BOUND_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
