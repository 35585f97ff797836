// Tag revocations: live and log in one step, max(before), all of them in chunks.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { END_OF_TIME_MS } from '../../src/core/token-store.js';
import type { WithStore } from './conformance.js';
import { ISSUER_TAG, loadAll, tagOf, toRevocations } from './fixtures.js';
import { START_MS } from './harness.js';

export function describeRevokeTag(withStore: WithStore): void {
  describe('revokeTag', () => {
    test(
      "without `before` it is the store's time, written to log and live alike",
      withStore(async ({ store }) => {
        const { cursor } = await store.read([], undefined);
        const command = { tag: tagOf('subject', 'u'), issuerTag: ISSUER_TAG, beforeMs: undefined };
        const { revision, beforeMs } = await store.revokeTag(command);
        assert.equal(beforeMs, START_MS);
        const written = { ...command, beforeMs };
        const told = await store.read([], cursor);
        assert.deepEqual([toRevocations(told.revocations), told.cursor], [[{ kind: 'tag', ...written }], revision]);
        assert.deepEqual(await loadAll(store), [[written]]);
      }),
    );

    const ROWS = [
      { name: 'a later one wins', first: 1000, second: 2000 },
      { name: 'an earlier one changes nothing', first: 2000, second: 1000 },
      { name: 'the end of time stays', first: END_OF_TIME_MS, second: undefined },
    ];
    for (const { name, first, second } of ROWS) {
      test(
        `the same tag keeps max(before): ${name}`,
        withStore(async ({ store }) => {
          const tag = tagOf('subject', 'u');
          await store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: first });
          const { cursor } = await store.read([], undefined);
          const { beforeMs } = await store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: second });
          const expected = { tag, issuerTag: ISSUER_TAG, beforeMs: Math.max(first, second ?? START_MS) };
          assert.equal(beforeMs, expected.beforeMs);
          assert.deepEqual(await loadAll(store), [[expected]]);
          assert.deepEqual(toRevocations((await store.read([], cursor)).revocations), [{ kind: 'tag', ...expected }]);
        }),
      );
    }

    test(
      'a narrow one never hides a broad one',
      withStore(async ({ store }) => {
        const tags = [tagOf('issuer', ''), tagOf('client', 'c'), tagOf('subject', 'u'), tagOf('jti', 'j')];
        for (const tag of tags) await store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: undefined });
        const live = (await loadAll(store)).flat().map(({ tag }) => Buffer.from(tag).toString('hex'));
        assert.deepEqual(live.sort(), tags.map((tag) => Buffer.from(tag).toString('hex')).sort());
      }),
    );

    test(
      'all live revocations come in chunks, each once',
      withStore(async ({ store }) => {
        const tags = Array.from({ length: 2500 }, (_, index) => tagOf('client', `c${index}`));
        await Promise.all(tags.map((tag) => store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: 7 })));
        const chunks = await loadAll(store);
        assert.ok(chunks.length > 1 && chunks.every((chunk) => chunk.length <= 1000));
        const loaded = new Set(chunks.flat().map(({ tag }) => Buffer.from(tag).toString('hex')));
        assert.deepEqual([chunks.flat().length, loaded.size], [2500, 2500]);
      }),
    );
  });
}
