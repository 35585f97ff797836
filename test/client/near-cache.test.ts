// What may be answered from memory: only what no revocation can have reached unseen.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { IntrospectionClient } from '@introspectd/client';
import { until } from '../grpc/until.js';
import { introspectBytes, MINIMAL_CLAIMS, MINIMAL_RESULT } from './support/messages.js';
import { clientTls, startScriptedServer } from './support/scripted-server.js';
import {
  activeWith,
  endWatch,
  type Renewal,
  startWatchedServer,
  tagOf,
  type WatchedServer,
} from './support/watched-server.js';

describe('the near-cache', () => {
  let server: WatchedServer;
  let client: IntrospectionClient;
  beforeEach(async () => {
    server = await startWatchedServer();
    client = await server.connectWithLease();
  });
  afterEach(() => server.stop());

  const isHit = (token: string, options = {}) => server.isHit(client, token, options);

  it('answers again what it was told, and asks for tags to be reached by', async () => {
    const first = await client.introspect('t');
    assert.deepEqual(server.requests, [{ tokens: ['t'], includeTags: true }]);
    assert.deepEqual(first, { ...MINIMAL_RESULT, sub: 't' });
    for (let call = 0; call < 100; call++) assert.equal(await client.introspect('t'), first);
    assert.equal(server.requests.length, 1);
    const { hits, misses, entries, cache } = client.stats();
    assert.deepEqual({ hits, entries, cache }, { hits: 100, entries: 1, cache: 'leased' });
    assert.equal(misses, 2);
  });

  it('gives answers that nobody can change for others', async () => {
    server.answer = (token) => ({
      ...activeWith(token),
      claims: { ...MINIMAL_CLAIMS, aud: ['a'], extra: { roles: ['reader'] } },
    });
    const result = await client.introspect('t');
    assert.ok(result.active);
    for (const change of [
      () => Object.assign(result, { sub: 'admin' }),
      () => (result.aud as string[]).push('b'),
      () => (result['roles'] as string[]).push('admin'),
    ]) {
      assert.throws(change, TypeError);
    }
  });

  it('drops what a revocation names, and that alone', async () => {
    server.answer = (token) => activeWith(token, token.startsWith('alice') ? 'alice' : 'bob', 'web');
    for (const token of ['alice-1', 'alice-2', 'bob-1']) await client.introspect(token);
    server.tell(tagOf('alice'), tagOf('nobody'));
    await until(() => client.stats().drops === 1);
    assert.deepEqual([await isHit('alice-1'), await isHit('alice-2'), await isHit('bob-1')], [false, false, true]);
    server.tell(tagOf('web'));
    await until(() => client.stats().drops === 2);
    assert.deepEqual([await isHit('alice-1'), await isHit('bob-1')], [false, false]);
  });

  it('does not keep a reply that was on its way when a revocation named it', async () => {
    await client.introspect('u');
    const sent = server.hold('t');
    const pending = client.introspect('t');
    await sent.arrived;
    server.tell(tagOf('t'), tagOf('u'));
    await until(() => client.stats().drops === 1);
    sent.release();
    await pending;
    server.beforeAnswer = () => undefined;
    assert.equal(await isHit('t'), false);
    assert.equal(await isHit('t'), true);
  });

  it('does not keep a reply that was on its way over a reset', async () => {
    await client.introspect('u');
    const sent = server.hold('t');
    const pending = client.introspect('t');
    await sent.arrived;
    server.reset();
    await until(() => client.stats().resets === 1 && client.stats().cache === 'leased');
    sent.release();
    await pending;
    server.beforeAnswer = () => undefined;
    assert.equal(await isHit('t'), false);
  });

  it('drops everything at a reset, and answers nothing from memory before a new lease', async () => {
    await client.introspect('t');
    server.requests.length = 0;
    let held: Renewal | undefined;
    server.onRenewal = (renewal) => {
      held = renewal;
    };
    server.reset();
    await until(() => client.stats().resets === 1);
    assert.equal(client.stats().entries, 0);
    assert.equal(client.stats().cache, 'waiting');
    assert.deepEqual([await isHit('t'), await isHit('t')], [false, false]);
    assert.ok(server.requests.every(({ includeTags }) => !includeTags));
    await until(() => held !== undefined);
    held?.grant(2_000);
    await until(() => client.stats().cache === 'leased');
    assert.deepEqual([await isHit('t'), await isHit('t')], [false, true]);
  });

  it('asks the server as soon as the watch breaks, and begins again', async () => {
    await client.introspect('t');
    const [watch] = server.watches;
    assert.ok(watch);
    await endWatch(watch, status.UNAVAILABLE);
    await until(() => client.stats().cache === 'waiting');
    assert.equal(await isHit('t'), false);
    await until(() => client.stats().cache === 'leased');
    assert.deepEqual([await isHit('t'), await isHit('t')], [false, true]);
    assert.deepEqual(server.starts, ['', '']);
  });

  it('counts a lease from when its renewal was sent', async () => {
    const leaseMs = 1_000;
    const answeredAfterMs = 600;
    let arrivedMs = Number.NaN;
    server.onRenewal = async (renewal) => {
      if (!Number.isNaN(arrivedMs)) return;
      arrivedMs = renewal.arrivedMs;
      await sleep(answeredAfterMs);
      renewal.grant(leaseMs);
    };
    server.reset();
    await until(() => client.stats().resets === 1 && client.stats().cache === 'leased');
    await client.introspect('t');
    const lastMs = await server.lastHitMs(client, 't');
    assert.ok(lastMs < arrivedMs + leaseMs, `a hit ${lastMs - arrivedMs} ms after the renewal, lease ${leaseMs} ms`);
  });

  it('ignores a lease that was asked for before a reset', async () => {
    let early: Renewal | undefined;
    server.onRenewal = (renewal) => {
      early ??= renewal;
    };
    await until(() => early !== undefined);
    server.reset();
    await until(() => client.stats().resets === 1);
    early?.grant(60_000);
    await client.introspect('t');
    await client.introspect('t');
    assert.equal(client.stats().cache, 'waiting');
  });

  it('once inactive, never active again: not from memory, and not from a reply that was on its way', async () => {
    await client.introspect('t');
    const slow = server.hold('t');
    const pending = client.introspect('t', { fresh: true });
    await slow.arrived;
    server.beforeAnswer = () => undefined;
    server.answer = () => ({ active: false });
    assert.deepEqual(await client.introspect('t', { fresh: true }), { active: false });
    slow.release();
    await pending;
    assert.deepEqual(await client.introspect('t'), { active: false });
  });

  it('knows at once what it revoked itself', async () => {
    await client.introspect('t', { audiences: ['a'] });
    await client.introspect('t');
    await client.introspect('u');
    await assert.rejects(client.revoke('t'), { code: 'UNIMPLEMENTED' });
    assert.deepEqual(
      [await isHit('t'), await isHit('t', { audiences: ['a'] }), await isHit('u')],
      [false, false, true],
    );
  });
});

describe('a client that may not watch', () => {
  for (const code of [status.PERMISSION_DENIED, status.UNIMPLEMENTED, status.UNAUTHENTICATED]) {
    it(`asks every time, and says so once: ${status[code]}`, async () => {
      let watches = 0;
      let asked = 0;
      const warnings: unknown[] = [];
      const server = await startScriptedServer({
        introspect: (call, reply) => {
          asked += 1;
          assert.equal(call.request.includeTags, false);
          reply(null, introspectBytes({ active: true, claims: MINIMAL_CLAIMS, cacheMs: 60_000n, tags: tagOf('t') }));
        },
        watchRevocations: (stream) => {
          watches += 1;
          stream.emit('error', { code, details: 'no' });
        },
      });
      const warn = (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields['code']);
      const client = server.connect({ tls: clientTls, logger: { info: () => undefined, warn } });
      await client.introspect('t');
      await until(() => warnings.length === 1);
      for (let call = 0; call < 20; call++) assert.deepEqual(await client.introspect('t'), MINIMAL_RESULT);
      assert.deepEqual({ watches, asked, warnings }, { watches: 1, asked: 21, warnings: [status[code]] });
      await server.stop();
    });
  }
});
