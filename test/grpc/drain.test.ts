// The end of a server: no call is lost without a status, health says it first, and the budget holds.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { Introspect } from '../../src/core/introspect.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../../src/gen/grpc/health/v1/health.js';
import { getTestCa, INACTIVE_TO_ALL, startTestServer, TRUST_DOMAIN } from '../support/start-server.js';
import { ask, readDetails } from './ask.js';
import { until } from './until.js';

const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };

let began = 0;
const slow = (delayMs: number): Introspect => ({
  ...INACTIVE_TO_ALL,
  one: async (command, token) => {
    began++;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return INACTIVE_TO_ALL.one(command, token);
  },
});

describe('drain', () => {
  it('under load: every call ends OK or with a status that is retried', async () => {
    await using server = await startTestServer({ introspect: slow(20) });
    const { introspection } = await server.connectAs('orders');
    const codes: string[] = [];
    let isOver = false;
    const load = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const { code } = await ask(introspection, 'introspect', REQUEST, { timeoutMs: 3000 });
        codes.push(code);
        if (code !== 'OK') return;
      }
    });
    await until(() => codes.length > 100);
    const startMs = performance.now();
    await server.grpc.drain({ noticeMs: 50, budgetMs: 2000 });
    assert.ok(performance.now() - startMs < 1800, 'it did not take the budget');
    isOver = true;
    await Promise.all(load);
    const others = codes.filter((code) => code !== 'OK' && code !== 'UNAVAILABLE');
    assert.deepEqual(others, []);
    assert.ok(codes.filter((code) => code === 'OK').length > 100);
  });

  it('answers what is still running at the end of the budget with DRAINING', async () => {
    await using server = await startTestServer({ introspect: slow(1500) });
    const { introspection } = await server.connectAs('orders');
    const before = began;
    const answer = ask(introspection, 'introspect', REQUEST);
    await until(() => began > before);
    // A connection that never says a word must not hold it up either.
    const silent = connect(Number(server.target.split(':')[1]), '127.0.0.1');
    silent.on('error', () => undefined);
    await until(() => silent.readyState === 'open');
    const startMs = performance.now();
    await Promise.all([
      server.grpc.drain({ noticeMs: 0, budgetMs: 400 }),
      server.grpc.drain({ noticeMs: 0, budgetMs: 400 }),
    ]);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 2400, `it took ${tookMs} ms`);
    const { code, details } = await answer;
    assert.deepEqual([code, details.reason], ['UNAVAILABLE', 'DRAINING']);
    silent.destroy();
  });

  it('cuts a connection whose call never ends', async () => {
    await using server = await startTestServer();
    const ca = await getTestCa();
    const { certPem, keyPem } = await ca.issue({ uris: [`${TRUST_DOMAIN}/orders`] });
    const tls = { ca: ca.certPem, cert: certPem, key: keyPem, servername: 'localhost' };
    const session = http2.connect(`https://${server.target}`, tls);
    session.on('error', () => undefined);
    const stream = session.request(
      {
        ':method': 'POST',
        ':path': '/introspectd.v1.IntrospectionService/Introspect',
        'content-type': 'application/grpc',
      },
      { endStream: false },
    );
    stream.on('error', () => undefined);
    await new Promise((resolve) => session.ping(resolve));
    const closed = new Promise((resolve) => session.once('close', resolve));
    await server.grpc.drain({ noticeMs: 0, budgetMs: 300 });
    await Promise.race([closed, until(() => session.destroyed)]);
    assert.ok(session.destroyed);
  });

  it('tells health first, refuses calls after the notice, and ends watches', async () => {
    await using server = await startTestServer();
    const { health, introspection } = await server.connectAs('orders');
    const told: ServingStatus[] = [];
    const watch = health.watch({ service: '' });
    watch.on('data', ({ status }) => told.push(status));
    const ended = new Promise<string | undefined>((resolve) =>
      watch.on('error', (error: Parameters<typeof readDetails>[0] & { metadata?: never }) =>
        resolve(readDetails(error.metadata).reason),
      ),
    );
    await until(() => told.length === 1);
    const drained = server.grpc.drain({ noticeMs: 300, budgetMs: 2000 });
    await until(() => told.length === 2);
    assert.deepEqual(told, [ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
    assert.equal((await ask(introspection, 'introspect', REQUEST)).code, 'OK', 'served during the notice');
    server.readiness.set('ready');
    assert.equal(server.readiness.state(), 'draining', 'for good');
    await drained;
    assert.equal(await ended, 'DRAINING');
    assert.equal((await ask(introspection, 'introspect', REQUEST, { timeoutMs: 500 })).code, 'UNAVAILABLE');
  });
});
