// Loading the live revocations from a Redis that does not answer for a while: a page that is late is waited for, since
// the load would begin again; one that does not come is doubt, in bounded time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tag } from '../../src/core/key-ring.js';
import { LIVE_CHUNK } from '../../src/store/page-sizes.js';
import { REDIS_MISSING } from '../support/redis-server.js';
import { RING } from './harness.js';
import { assertUnavailable, type Stage, setUp, WRITE_ANSWER_MS } from './redis-fault-stage.js';

/** Some pages. */
const REVOCATIONS = 4 * LIVE_CHUNK;
/** Writes that collide are repeated, and more of them would not be done in time. */
const AT_ONCE = 20;
/** Longer than a read may take, shorter than a page of a load. */
const SLOW_MS = 500;
/** Longer than any bound of the engine. */
const HUNG_MS = 4000;
const ISSUER_TAG = RING.tag('issuer', 'https://login.example', '');

/** Redis pauses for so long once the first of the revocations have come. */
async function load({ redis, store }: Stage, pauseMs: number): Promise<ReadonlySet<string>> {
  const loaded = new Set<string>();
  let isPaused = false;
  for await (const revocations of store.loadRevocations()) {
    for (const { tag } of revocations) loaded.add(toKey(tag));
    if (!isPaused) await redis.admin.call('CLIENT', 'PAUSE', pauseMs, 'ALL');
    isPaused = true;
  }
  return loaded;
}

async function revokeSome({ store }: Stage): Promise<ReadonlySet<string>> {
  const tags = Array.from({ length: REVOCATIONS }, (_, index) => RING.tag('jti', 'https://login.example', `${index}`));
  for (let start = 0; start < tags.length; start += AT_ONCE) {
    const some = tags.slice(start, start + AT_ONCE);
    await Promise.all(some.map((tag) => store.revokeTag({ tag, issuerTag: ISSUER_TAG, beforeMs: undefined })));
  }
  return new Set(tags.map(toKey));
}

const toKey = (tag: Tag) => Buffer.from(tag).toString('hex');

describe('a load of live revocations', { skip: REDIS_MISSING }, () => {
  test('goes on after a page that was late, and has all of them', async (t) => {
    const stage = await setUp(t);
    const revoked = await revokeSome(stage);
    const begun = performance.now();
    assert.deepEqual(await load(stage, SLOW_MS), revoked);
    assert.ok(performance.now() - begun >= SLOW_MS / 2, 'a page was late');
  });

  test('ends in time when a page does not come', async (t) => {
    const stage = await setUp(t);
    await revokeSome(stage);
    await assertUnavailable(() => load(stage, HUNG_MS), /./, WRITE_ANSWER_MS);
  });
});
