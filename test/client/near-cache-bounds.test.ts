// How long answers are kept, for whom, and how many.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IntrospectionClient } from '@introspectd/client';
import { until } from '../grpc/until.js';
import { MINIMAL_CLAIMS } from './support/messages.js';
import { activeWith, startWatchedServer, tagOf, type WatchedServer } from './support/watched-server.js';

const HOUR_MS = 3_600_000;

describe('bounds of the near-cache', () => {
  let server: WatchedServer;
  let client: IntrospectionClient;
  beforeEach(async () => {
    server = await startWatchedServer();
    client = await server.connectWithLease();
  });
  afterEach(() => server.stop());
  const isHit = (token: string, options = {}) => server.isHit(client, token, options);

  it('never answers past exp, whatever the server lets it keep', async (t) => {
    const exp = Math.ceil(Date.now() / 1_000) + 1;
    server.answer = (token) => ({ ...activeWith(token), claims: { ...MINIMAL_CLAIMS, exp: BigInt(exp) } });
    await client.introspect('t');
    assert.equal(await isHit('t'), true);
    for (;;) {
      const calledMs = Date.now();
      const hit = await isHit('t');
      assert.ok(!hit || calledMs < exp * 1_000, 'a hit past exp');
      if (!hit) break;
      await sleep(5);
    }
    t.diagnostic(`asked again ${Date.now() - exp * 1_000} ms after exp`);
  });

  it('keeps an answer no longer than the server says, counted from the question', async () => {
    server.answer = (token) => ({ ...activeWith(token), cacheMs: 400n });
    server.beforeAnswer = () => sleep(250);
    const sentMs = performance.now();
    await client.introspect('t');
    const lastMs = await server.lastHitMs(client, 't');
    // Some ms for the call to be sent.
    assert.ok(lastMs < sentMs + 450, `a hit ${lastMs - sentMs} ms after the question`);
  });

  for (const [name, stepMs] of [
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ] as const) {
    it(`survives a wall clock that is set an hour ${name}`, async (t) => {
      const realNow = Date.now.bind(Date);
      const exp = Math.ceil(realNow() / 1_000) + 1;
      // As a server does that has not lost its clock.
      const leftMs = () => Math.max(0, exp * 1_000 - realNow());
      server.answer = (token) => ({
        ...activeWith(token),
        claims: { ...MINIMAL_CLAIMS, exp: BigInt(exp) },
        cacheMs: BigInt(leftMs()),
      });
      await client.introspect('t');
      assert.equal(await isHit('t'), true);
      t.mock.method(Date, 'now', () => realNow() + stepMs);
      // Forward, everything that was kept is over; back, nothing becomes younger.
      assert.equal(await isHit('t'), stepMs < 0);
      for (let isPastExp = false; !isPastExp; ) {
        isPastExp = leftMs() === 0;
        assert.ok(!(await isHit('t')) || !isPastExp, 'a hit past exp');
        await sleep(5);
      }
    });
  }

  it('keeps answers for different audiences apart, in whatever order they are named', async () => {
    server.answer = (token) => activeWith(token);
    assert.equal(await isHit('t', { audiences: ['a', 'b'] }), false);
    for (const audiences of [[], ['a'], ['b'], ['a', 'b', 'c'], ['["a","b"]'], ['a,b']]) {
      assert.equal(await isHit('t', { audiences }), false, audiences.join(' '));
      assert.equal(await isHit('t', { audiences }), true, audiences.join(' '));
    }
    assert.equal(await isHit('t', { audiences: ['b', 'a'] }), true);
  });

  it('asks when the answer must be fresh, and keeps that', async () => {
    await client.introspect('t');
    server.answer = (token) => ({ ...activeWith(token), claims: { ...MINIMAL_CLAIMS, scope: 'new' } });
    assert.equal(await isHit('t', { fresh: true }), false);
    const result = await client.introspect('t');
    assert.ok(result.active && result.scope === 'new');
    assert.equal(server.requests.length, 2);
  });

  it('keeps an inactive answer for the moment that the server says, apart from the others', async () => {
    server.answer = () => ({ active: false, cacheMs: 300n });
    assert.equal(await isHit('t'), false);
    const keptMs = performance.now();
    assert.equal(await isHit('t'), true);
    const { entries, inactiveEntries, inactiveHits } = client.stats();
    assert.deepEqual({ entries, inactiveEntries, inactiveHits }, { entries: 0, inactiveEntries: 1, inactiveHits: 1 });
    assert.ok((await server.lastHitMs(client, 't')) < keptMs + 300);
    server.answer = () => ({ active: false, cacheMs: 0n });
    assert.deepEqual([await isHit('u'), await isHit('u')], [false, false]);
  });

  for (const [name, fields] of [
    ['without tags', { tags: Buffer.alloc(0) }],
    ['with half a tag', { tags: Buffer.alloc(24, 1) }],
    ['with cache_ms 0', { cacheMs: 0n }],
    ['with a negative cache_ms', { cacheMs: -1n }],
  ] as const) {
    it(`does not keep an answer ${name}`, async () => {
      server.answer = (token) => ({ ...activeWith(token), ...fields });
      assert.deepEqual([await isHit('t'), await isHit('t')], [false, false]);
      assert.equal(client.stats().entries, 0);
    });
  }

  for (const cache of [false, { maxAgeMs: 0 }, { maxEntries: 0 }, { maxBytes: 0 }] as const) {
    it(`is off with ${JSON.stringify(cache)}`, async () => {
      const uncached = server.connect({ cache });
      const watches = server.starts.length;
      for (let call = 0; call < 3; call++) assert.equal(await server.isHit(uncached, 't'), false);
      assert.equal(uncached.stats().cache, 'off');
      assert.equal(server.starts.length, watches);
      assert.ok(server.requests.every(({ includeTags }) => !includeTags));
    });
  }

  it('stays within its bounds', async () => {
    const small = await server.connectWithLease({ cache: { maxEntries: 10, maxInactiveEntries: 5 } });
    server.answer = (token) => (token.startsWith('no') ? { active: false, cacheMs: 60_000n } : activeWith(token));
    for (let index = 0; index < 30; index++) {
      await small.introspect(`yes-${index}`);
      await small.introspect(`no-${index}`);
    }
    const { entries, inactiveEntries } = small.stats();
    assert.deepEqual({ entries, inactiveEntries }, { entries: 10, inactiveEntries: 5 });
    // What went has left nothing behind that a revocation could name.
    server.tell(...Array.from({ length: 30 }, (_, index) => tagOf(`yes-${index}`)));
    await until(() => small.stats().drops > 0);
    assert.equal(small.stats().drops, 10);
    const tight = await server.connectWithLease({ cache: { maxBytes: 20_000 } });
    for (let index = 0; index < 100; index++) await tight.introspect(`yes-${index}`);
    assert.ok(tight.stats().bytes <= 20_000 && tight.stats().entries > 2);
  });

  it('refuses bounds that are none', () => {
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const name of ['maxAgeMs', 'maxEntries', 'maxBytes', 'maxInactiveEntries']) {
        assert.throws(() => server.connect({ cache: { [name]: value } }), { code: 'INVALID_ARGUMENT' });
      }
    }
  });
});
