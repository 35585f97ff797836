// The tombstone, the unknown token and its bound, keys of the ring, and the cascade of a refresh token.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEntry } from '../../src/core/entry.js';
import { type Cursor, END_OF_TIME_MS, type RevokeTokenCommand, type TokenStore } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import {
  digestOf,
  ISSUER_TAG,
  loadAll,
  makeEntry,
  makeRevoke,
  NO_TAG,
  readEntry,
  tagOf,
  toRevocations,
} from './fixtures.js';
import { LEASE_MS, MAX_TOKEN_TTL_MS, RING, ROTATED_RING } from './harness.js';

async function revoke(store: TokenStore, command: RevokeTokenCommand) {
  const result = await store.revokeToken(command);
  assert.ok(result.outcome === 'revoked');
  return result;
}

/** What a follower that stood at `cursor` is told. */
async function tell(store: TokenStore, cursor: Cursor | undefined) {
  const { reset, revocations } = await store.read([], cursor);
  assert.equal(reset, false);
  return toRevocations(revocations);
}

export function describeRevokeToken(withStore: WithStore): void {
  describe('revokeToken', () => {
    test(
      'puts the tombstone in place of the record and the log entry behind it',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a', { jti: 'j', client: 'c' })]);
        const record = await readEntry(store, 'a');
        const { cursor } = await store.read([], undefined);
        const { revision, replaced } = await revoke(store, makeRevoke('a'));
        assert.deepEqual(replaced, record);
        const tombstone = decodeEntry((await readEntry(store, 'a')) ?? Buffer.alloc(0));
        const { claims, mask, kind, ...kept } = decodeEntry(record ?? Buffer.alloc(0));
        assert.deepEqual(tombstone, { ...kept, kind: 'tombstone', mask: 0, claims: new Uint8Array(0) });
        assert.deepEqual([kind, mask > 0, claims.length > 0], ['record', true, true]);
        const expected = [{ kind: 'token', tag: tagOf('token', 'a'), beforeMs: END_OF_TIME_MS, issuerTag: ISSUER_TAG }];
        assert.deepEqual(await tell(store, cursor), expected);
        assert.deepEqual(await tell(store, revision), []);
      }),
    );

    test(
      'writes also when the token is revoked already',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a')]);
        const first = await revoke(store, makeRevoke('a'));
        const tombstone = await readEntry(store, 'a');
        const second = await revoke(store, makeRevoke('a'));
        assert.deepEqual(second.replaced, tombstone);
        assert.deepEqual(await readEntry(store, 'a'), tombstone);
        const again = [{ kind: 'token', tag: tagOf('token', 'a'), beforeMs: END_OF_TIME_MS, issuerTag: ISSUER_TAG }];
        assert.deepEqual(await tell(store, first.revision), again);
      }),
    );

    test(
      'leaves a tombstone for an unknown token, so that a late registration is refused',
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        const { replaced } = await revoke(store, makeRevoke('a'));
        assert.equal(replaced, undefined);
        const entry = decodeEntry((await readEntry(store, 'a')) ?? Buffer.alloc(0));
        assert.deepEqual([entry.kind, entry.tags.length], ['tombstone', 0]);
        const expected = [{ kind: 'token', tag: tagOf('token', 'a'), beforeMs: END_OF_TIME_MS, issuerTag: NO_TAG }];
        assert.deepEqual(await tell(store, cursor), expected);
        assert.deepEqual(await store.register([makeEntry('a')]), ['revoked']);
      }),
    );

    test(
      'bounds the tombstones of unknown tokens over all handles, and nothing is written beyond',
      withStore(async (harness) => {
        const second = await harness.openSecond();
        await revoke(harness.store, makeRevoke('u1', RING, 2));
        await revoke(second, makeRevoke('u2', RING, 2));
        const { cursor } = await harness.store.read([], undefined);
        for (const store of [harness.store, second]) {
          assert.deepEqual(await store.revokeToken(makeRevoke('u3', RING, 2)), { outcome: 'exhausted' });
        }
        assert.deepEqual(await tell(harness.store, cursor), []);
        assert.equal(await readEntry(harness.store, 'u3'), undefined);
        await harness.reopen();
        assert.equal((await harness.store.revokeToken(makeRevoke('u3', RING, 2))).outcome, 'exhausted');
        // Neither a repeat nor a known token takes room.
        await harness.store.register([makeEntry('known')]);
        await revoke(harness.store, makeRevoke('u1', RING, 2));
        await revoke(harness.store, makeRevoke('known', RING, 2));
        await revoke(harness.store, makeRevoke('known', RING, 2));
      }),
    );

    test(
      'an expired tombstone of an unknown token makes room, swept or not',
      withStore(async (harness) => {
        const { store } = harness;
        for (const name of ['u1', 'u2']) await revoke(store, makeRevoke(name, RING, 2));
        harness.clockMs += MAX_TOKEN_TTL_MS + LEASE_MS - 1;
        assert.equal((await store.revokeToken(makeRevoke('u3', RING, 2))).outcome, 'exhausted');
        harness.clockMs += 1;
        for (const name of ['u3', 'u4']) await revoke(store, makeRevoke(name, RING, 2));
        assert.equal((await store.revokeToken(makeRevoke('u5', RING, 2))).outcome, 'exhausted');
      }),
    );

    test(
      'replaces the record where it stands, also under an older key of the ring, and stands under the writing one',
      withStore(async (harness) => {
        await harness.store.register([makeEntry('a')]);
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        await revoke(harness.store, makeRevoke('a', ROTATED_RING));
        for (const ring of [RING, ROTATED_RING]) {
          const entry = await readEntry(harness.store, 'a', ring);
          assert.equal(entry && decodeEntry(entry).kind, 'tombstone');
        }
        assert.deepEqual(await harness.store.register([makeEntry('a', {}, ROTATED_RING)]), ['revoked']);
      }),
    );

    test(
      'leaves no record alive where record and tombstone stand under two keys',
      withStore(async (harness) => {
        await harness.reopen({ keyChecks: ROTATED_RING.checks });
        const { store } = harness;
        const refresh = makeEntry('a', { tokenUse: 'refresh_token', grant: 'g' });
        await store.register([refresh]);
        await revoke(store, { ...makeRevoke('a'), digests: [digestOf('a', ROTATED_RING)] });
        assert.deepEqual(await store.register([makeEntry('a', {}, ROTATED_RING)]), ['revoked']);
        const { replaced } = await revoke(store, makeRevoke('a', ROTATED_RING));
        assert.equal(replaced && decodeEntry(replaced).kind, 'record');
        for (const ring of [RING, ROTATED_RING]) {
          const entry = await readEntry(store, 'a', ring);
          assert.equal(entry && decodeEntry(entry).kind, 'tombstone');
        }
        assert.equal((await loadAll(store)).flat().length, 1, 'the grant of the record is revoked');
      }),
    );

    test(
      "a refresh token takes its grant's revocation along, and a retry repeats it",
      withStore(async ({ store }) => {
        await store.register([makeEntry('r', { tokenUse: 'refresh_token', grant: 'g' })]);
        let { cursor } = await store.read([], undefined);
        const grant = { tag: tagOf('grant', 'g'), beforeMs: END_OF_TIME_MS, issuerTag: ISSUER_TAG };
        const both = [
          { kind: 'token', tag: tagOf('token', 'r'), beforeMs: END_OF_TIME_MS, issuerTag: ISSUER_TAG },
          { kind: 'tag', ...grant },
        ];
        for (const attempt of ['first', 'retry']) {
          const { revision } = await revoke(store, makeRevoke('r'));
          assert.deepEqual(await tell(store, cursor), both, attempt);
          assert.deepEqual(await tell(store, revision), [], attempt);
          cursor = revision;
        }
        assert.deepEqual(await loadAll(store), [[grant]]);
        assert.deepEqual(await store.register([makeEntry('a', { grant: 'g' })]), ['revoked']);
      }),
    );

    test(
      'an access token, and a refresh token without a grant, take nothing along',
      withStore(async ({ store }) => {
        await store.register([makeEntry('a', { grant: 'g' }), makeEntry('r', { tokenUse: 'refresh_token' })]);
        for (const name of ['a', 'r']) await revoke(store, makeRevoke(name));
        assert.deepEqual(await loadAll(store), []);
      }),
    );

    test(
      'many at once are all written, each with its log entry',
      withStore(async ({ store }) => {
        const names = Array.from({ length: 300 }, (_, index) => `t${index}`);
        await Promise.all(names.map((name) => store.register([makeEntry(name)])));
        const { cursor } = await store.read([], undefined);
        const results = await Promise.all(names.map((name) => revoke(store, makeRevoke(name))));
        assert.equal(new Set(results.map(({ revision }) => revision)).size, names.length);
        assert.equal((await tell(store, cursor)).length, names.length);
        const { entries } = await store.read(
          names.map((name) => digestOf(name)),
          undefined,
        );
        assert.ok(entries.every((entry) => entry && decodeEntry(entry).kind === 'tombstone'));
      }),
    );
  });
}
