// Loading every live revocation must not stop the daemon: LMDB answers at once, so turns of the event loop have to be made.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { LIVE_CHUNK } from '../../src/store/page-sizes.js';
import { ISSUER_TAG, tagOf } from './fixtures.js';
import { makeOptions, START_MS } from './harness.js';
import { makeTempFolder } from './lmdb-temp-folder.js';

test('others have a turn between two chunks', async (t) => {
  const store = await openLmdbTokenStore({ path: makeTempFolder(t), ...makeOptions({ clockMs: START_MS }) });
  const names = Array.from({ length: 3 * LIVE_CHUNK }, (_, index) => `j${index}`);
  const revoke = (name: string) =>
    store.revokeTag({ tag: tagOf('jti', name), issuerTag: ISSUER_TAG, beforeMs: undefined });
  await Promise.all(names.map(revoke));

  let turns = 0;
  let timer = setImmediate(function count() {
    turns++;
    timer = setImmediate(count);
  });
  const turnOfChunk: number[] = [];
  for await (const chunk of store.loadRevocations()) {
    assert.ok(chunk.length <= LIVE_CHUNK);
    turnOfChunk.push(turns);
  }
  clearImmediate(timer);
  assert.ok(turnOfChunk.length >= 3);
  assert.equal(new Set(turnOfChunk).size, turnOfChunk.length, turnOfChunk.join(', '));
  await store.close();
});
