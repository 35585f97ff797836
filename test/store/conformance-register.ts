// The check-and-set of registrations, outcome by outcome.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEntry, isSameRegistration } from '../../src/core/entry.js';
import { END_OF_TIME_MS } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { digestOf, ISSUER_TAG, makeEntry, makeRevoke, readEntry, tagOf } from './fixtures.js';
import { MAX_TOKEN_TTL_MS, ROTATED_RING, START_MS } from './harness.js';

export function describeRegister(withStore: WithStore): void {
  describe('register', () => {
    test(
      'writes the record, stamps registered_at, and tells no follower of the log',
      withStore(async (harness) => {
        const { store } = harness;
        harness.clockMs += 1234;
        const before = await store.read([], undefined);
        const entry = makeEntry('a', { claimedIssueMs: START_MS + 999_000 });
        assert.deepEqual(await store.register([entry]), ['registered']);
        const bytes = await readEntry(store, 'a');
        assert.ok(bytes !== undefined && isSameRegistration(bytes, entry.record));
        assert.equal(decodeEntry(bytes).issueInstantMs, START_MS + 1234);
        assert.deepEqual((await store.read([], before.cursor)).revocations, []);
      }),
    );

    test(
      'an equal registration writes nothing, so the first registered_at stays',
      withStore(async (harness) => {
        const entry = makeEntry('a', { claimedIssueMs: START_MS + 999_000 });
        await harness.store.register([entry]);
        const first = await readEntry(harness.store, 'a');
        harness.clockMs += 5000;
        assert.deepEqual(await harness.store.register([entry]), ['unchanged']);
        assert.deepEqual(await readEntry(harness.store, 'a'), first);
      }),
    );

    test(
      'a different registration is refused and changes nothing',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a')]);
        const first = await readEntry(store, 'a');
        assert.deepEqual(await store.register([makeEntry('a', { scope: 'write' })]), ['exists']);
        assert.deepEqual(await readEntry(store, 'a'), first);
      }),
    );

    test(
      'results come in order, each entry for itself, duplicates in one call as if one came after the other',
      withStore(async ({ store }) => {
        await store.revokeToken(makeRevoke('dead'));
        const other = makeEntry('a', { scope: 'write' });
        const late = makeEntry('late', { expMs: START_MS + MAX_TOKEN_TTL_MS + 1000 });
        const call = [makeEntry('a'), makeEntry('dead'), makeEntry('a'), late, other, makeEntry('b')];
        const expected = ['registered', 'revoked', 'unchanged', 'ttl_too_long', 'exists', 'registered'];
        assert.deepEqual(await store.register(call), expected);
        assert.deepEqual(await store.register([]), []);
      }),
    );

    test(
      'an entry under any key of the ring counts',
      withStore(async (harness) => {
        await harness.store.register([makeEntry('a')]);
        await harness.store.revokeToken(makeRevoke('dead'));
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const call = [
          makeEntry('a', {}, ROTATED_RING),
          makeEntry('a', { scope: 'write' }, ROTATED_RING),
          makeEntry('dead', {}, ROTATED_RING),
          makeEntry('new', {}, ROTATED_RING),
        ];
        assert.deepEqual(await harness.store.register(call), ['unchanged', 'exists', 'revoked', 'registered']);
        const digests = [digestOf('a', ROTATED_RING), digestOf('new', ROTATED_RING), digestOf('new')];
        const { entries } = await harness.store.read(digests, undefined);
        assert.deepEqual(
          entries.map((entry) => entry !== undefined),
          [false, true, false],
        );
      }),
    );

    test(
      'wouldRegister says what register says of each entry, and writes nothing',
      withStore(async (harness) => {
        const { store } = harness;
        await store.register([makeEntry('a'), makeEntry('over', { expMs: START_MS + 1000 })]);
        await store.revokeToken(makeRevoke('dead'));
        await store.revokeTag({ tag: tagOf('jti', 'v'), issuerTag: ISSUER_TAG, beforeMs: END_OF_TIME_MS });
        harness.clockMs += 2000;
        const entries = [
          makeEntry('new'),
          makeEntry('a'),
          makeEntry('a', { scope: 'write' }),
          makeEntry('dead'),
          makeEntry('b', { jti: 'v' }),
          makeEntry('late', { expMs: START_MS + MAX_TOKEN_TTL_MS + 10_000 }),
          makeEntry('over'),
          makeEntry('new', { scope: 'write' }),
        ];
        const alone = ['registered', 'unchanged', 'exists', 'revoked', 'revoked', 'ttl_too_long', 'registered'];
        const before = await store.meta();
        assert.deepEqual(await store.wouldRegister(entries), [...alone, 'registered']);
        assert.deepEqual(await store.wouldRegister([]), []);
        assert.equal(await readEntry(store, 'new'), undefined);
        assert.deepEqual(await store.meta(), before);
        assert.deepEqual(await store.register(entries), [...alone, 'exists']);
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const rotated = [makeEntry('a', {}, ROTATED_RING), makeEntry('dead', {}, ROTATED_RING)];
        assert.deepEqual(await harness.store.wouldRegister(rotated), ['unchanged', 'revoked']);
      }),
    );

    for (const kind of ['jti', 'grant', 'session'] as const) {
      test(
        `a live revocation of its ${kind} refuses`,
        withStore(async ({ store }) => {
          await store.register([makeEntry('before', { [kind]: 'v' })]);
          await store.revokeTag({ tag: tagOf(kind, 'v'), issuerTag: ISSUER_TAG, beforeMs: END_OF_TIME_MS });
          const call = [
            makeEntry('a', { [kind]: 'v' }),
            makeEntry('before', { [kind]: 'v' }),
            makeEntry('b', { [kind]: 'w' }),
          ];
          assert.deepEqual(await store.register(call), ['revoked', 'revoked', 'registered']);
        }),
      );
    }

    test(
      'a live revocation of its client, subject or issuer does not refuse: a later login lives',
      withStore(async ({ store }) => {
        for (const tag of [tagOf('client', 'v'), tagOf('subject', 'v'), ISSUER_TAG]) {
          await store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: undefined });
        }
        assert.deepEqual(await store.register([makeEntry('a', { client: 'v', subject: 'v' })]), ['registered']);
      }),
    );

    const TTL_ROWS = [
      { name: 'exactly max_token_ttl', expMs: MAX_TOKEN_TTL_MS, claimedMs: 0, outcome: 'registered' },
      { name: 'a second more', expMs: MAX_TOKEN_TTL_MS + 1000, claimedMs: 0, outcome: 'ttl_too_long' },
      { name: 'issued earlier', expMs: MAX_TOKEN_TTL_MS, claimedMs: -1, outcome: 'ttl_too_long' },
      { name: 'issued in the future', expMs: MAX_TOKEN_TTL_MS + 1000, claimedMs: 1000, outcome: 'ttl_too_long' },
    ];
    for (const { name, expMs, claimedMs, outcome } of TTL_ROWS) {
      test(
        `exp against the earlier of store time and claimed issue: ${name}`,
        withStore(async ({ store }) => {
          const entry = makeEntry('a', { expMs: START_MS + expMs, claimedIssueMs: START_MS + claimedMs });
          assert.deepEqual(await store.register([entry]), [outcome]);
          assert.equal((await readEntry(store, 'a')) !== undefined, outcome === 'registered');
        }),
      );
    }
  });
}
