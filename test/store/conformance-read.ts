// The read: entries in order, the inclusive log read, and every way to a reset.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Cursor, END_OF_TIME_MS } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { digestOf, ISSUER_TAG, makeEntry, makeRevoke, NO_TAG, readEntry, tagOf, toRevocations } from './fixtures.js';
import { LEASE_MS, type StoreHarness } from './harness.js';

const revokeNames = async ({ store }: StoreHarness, names: readonly string[]): Promise<void> => {
  for (const name of names) await store.revokeToken(makeRevoke(name));
};
const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `token-${index}`);

/** The same place in the log of another store. */
function toDiverged(cursor: Cursor): string {
  const bytes = Buffer.from(cursor, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(12) ^ 1, 12);
  return bytes.toString('base64url');
}

export function describeRead(withStore: WithStore): void {
  describe('read', () => {
    test(
      'gives entries in the order of the digests, undefined where there is none',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a'), makeEntry('b')]);
        const digests = ['b', 'missing', 'a', 'b'].map((name) => digestOf(name));
        const { entries } = await store.read(digests, undefined);
        const [a, b] = [await readEntry(store, 'a'), await readEntry(store, 'b')];
        assert.ok(a !== undefined && b !== undefined);
        assert.notDeepEqual(a, b);
        assert.deepEqual(entries, [b, undefined, a, b]);
      }),
    );

    test(
      'hands out bytes that later reads and writes leave alone',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a'), makeEntry('b', { scope: 'x'.repeat(60_000) })]);
        const { entries } = await store.read([digestOf('a'), digestOf('b')], undefined);
        const copies = entries.map((entry) => Buffer.from(entry ?? ''));
        await store.register([makeEntry('c', { scope: 'y'.repeat(60_000) })]);
        await revokeNames({ store } as StoreHarness, ['a', 'b']);
        await store.read([digestOf('b'), digestOf('c'), digestOf('a')], undefined);
        assert.deepEqual(
          entries.map((entry) => Buffer.from(entry ?? '')),
          copies,
        );
      }),
    );

    test(
      'without a cursor is a reset, whose cursor stands at the end of the log',
      withStore(async ({ store }) => {
        await store.revokeToken(makeRevoke('a'));
        const first = await store.read([], undefined);
        assert.deepEqual([first.reset, first.more, first.revocations], [true, false, []]);
        const second = await store.read([], first.cursor);
        assert.deepEqual([second.reset, second.more, second.revocations], [false, false, []]);
        assert.equal(second.cursor, first.cursor);
      }),
    );

    test(
      'gives what the log says after the cursor, in its order, and moves the cursor',
      withStore(async ({ store }) => {
        await store.register([makeEntry('b')]);
        const { cursor } = await store.read([], undefined);
        await store.revokeToken(makeRevoke('a'));
        const { revision } = await store.revokeTag({ tag: tagOf('client', 'app'), issuerTag: ISSUER_TAG, beforeMs: 5 });
        await store.revokeToken(makeRevoke('b'));
        const all = await store.read([digestOf('a')], cursor);
        assert.equal(all.reset, false);
        assert.deepEqual(toRevocations(all.revocations), [
          { kind: 'token', tag: tagOf('token', 'a'), beforeMs: END_OF_TIME_MS, issuerTag: NO_TAG },
          { kind: 'tag', tag: tagOf('client', 'app'), beforeMs: 5, issuerTag: ISSUER_TAG },
          { kind: 'token', tag: tagOf('token', 'b'), beforeMs: END_OF_TIME_MS, issuerTag: ISSUER_TAG },
        ]);
        const rest = await store.read([], revision);
        assert.deepEqual(rest.revocations, all.revocations.slice(2));
        assert.equal(rest.cursor, all.cursor);
      }),
    );

    test(
      'says where each entry of the log stands: a read from there brings the ones after it',
      withStore(async (harness) => {
        const { store } = harness;
        const { cursor } = await store.read([], undefined);
        await revokeNames(harness, numbered(5));
        const { revocations, cursor: end } = await store.read([], cursor);
        assert.deepEqual([revocations.length, revocations.at(-1)?.cursor], [5, end]);
        for (const [index, entry] of revocations.entries()) {
          assert.deepEqual((await store.read([], entry.cursor)).revocations, revocations.slice(index + 1));
        }
      }),
    );

    test(
      'tells the lease of the store',
      withStore(async ({ store }) => {
        assert.equal((await store.read([], undefined)).leaseMs, LEASE_MS);
      }),
    );

    test(
      'resets on a cursor that stands on no entry of the log',
      withStore(async (harness) => {
        const { store } = harness;
        await revokeNames(harness, ['a']);
        const { cursor: first } = await store.read([], undefined);
        await revokeNames(harness, ['b']);
        const { cursor } = await store.read([], undefined);
        const beyond = Buffer.from(cursor, 'base64url');
        beyond.writeUInt8(200, 5);
        const strangers = ['', 'x', 'x'.repeat(22), beyond.toString('base64url'), ...[first, cursor].map(toDiverged)];
        for (const stranger of strangers) {
          const answer = await store.read([], stranger as Cursor);
          assert.deepEqual([answer.reset, answer.revocations, answer.cursor], [true, [], cursor], stranger);
        }
      }),
    );

    test(
      'resets after a wipe, and the running daemon makes the store anew',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([makeEntry('a')]);
        const before = await store.read([], undefined);
        const { storeId } = await store.meta();
        harness.clockMs -= 5000;
        await harness.wipe();
        const after = await store.read([digestOf('a')], before.cursor);
        assert.deepEqual([after.reset, after.entries], [true, [undefined]]);
        assert.equal(after.storeTimeMs, before.storeTimeMs, 'the store time is kept');
        assert.notEqual((await store.meta()).storeId, storeId);
        assert.equal((await store.read([], after.cursor)).reset, false);
        assert.deepEqual(await store.register([makeEntry('a')]), ['registered']);
      }),
    );

    test(
      'a write right after a wipe makes the store anew, too',
      withStore(async (harness) => {
        await revokeNames(harness, ['a']);
        await harness.wipe();
        const result = await harness.store.revokeToken(makeRevoke('b'));
        assert.equal(result.outcome, 'revoked');
        const { cursor, reset } = await harness.store.read([], undefined);
        assert.deepEqual([cursor, reset], [result.outcome === 'revoked' && result.revision, true]);
      }),
    );

    test(
      'resets on a log that diverged: the same number, other random bytes',
      withStore(async (harness) => {
        await revokeNames(harness, ['a', 'b', 'c']);
        const before = await harness.store.read([], undefined);
        await harness.wipe();
        await revokeNames(harness, ['a', 'b', 'c', 'd']);
        const after = await harness.store.read([], before.cursor);
        assert.deepEqual([after.reset, after.revocations], [true, []]);
      }),
    );

    test(
      'resets when the log was trimmed beyond the cursor, and not when the very entry is still there',
      withStore(async (harness) => {
        const old = await harness.store.read([], undefined);
        await revokeNames(harness, ['a', 'b']);
        const last = await harness.store.read([], undefined);
        await harness.trim();
        assert.equal((await harness.store.read([], old.cursor)).reset, true);
        assert.equal((await harness.store.read([], last.cursor)).reset, false);
        await revokeNames(harness, ['c']);
        const { reset, revocations } = await harness.store.read([], last.cursor);
        assert.deepEqual([reset, revocations.length], [false, 1]);
      }),
    );

    test(
      'keeps the newest entries of the log, as many as it was told, and at least one',
      withStore(
        async (harness) => {
          const cursors: Cursor[] = [];
          for (const name of numbered(12)) {
            const result = await harness.store.revokeToken(makeRevoke(name));
            if (result.outcome === 'revoked') cursors.push(result.revision);
          }
          const resets = [];
          for (const cursor of cursors) resets.push((await harness.store.read([], cursor)).reset);
          assert.deepEqual(resets, [...Array(8).fill(true), ...Array(4).fill(false)]);
          await harness.reopen({ logEntries: 1 });
          await revokeNames(harness, numbered(4));
          const { cursor } = await harness.store.read([], undefined);
          assert.equal((await harness.store.read([], cursor)).reset, false);
          assert.equal((await harness.store.read([], cursors.at(-1))).reset, true);
        },
        { logEntries: 4 },
      ),
    );

    test(
      'a full page has 1,000 entries and says that there may be more',
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        await Promise.all(numbered(1000).map((name) => store.revokeToken(makeRevoke(name))));
        const full = await store.read([], cursor);
        assert.deepEqual([full.revocations.length, full.more, full.reset], [1000, true, false]);
        const empty = await store.read([], full.cursor);
        assert.deepEqual([empty.revocations.length, empty.more, empty.reset], [0, false, false]);
        await store.revokeToken(makeRevoke('last'));
        const again = await store.read([], cursor);
        assert.equal(again.cursor, full.cursor);
        const rest = await store.read([], again.cursor);
        assert.deepEqual([rest.revocations.length, rest.more], [1, false]);
      }),
    );
  });
}
