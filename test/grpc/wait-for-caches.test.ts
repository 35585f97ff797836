// Revocations that wait for caches: how long, in whose room, and what ends them early.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientUnaryCall } from '@grpc/grpc-js';
import { IntrospectdError } from '../../src/core/errors.js';
import { createInFlight } from '../../src/grpc/in-flight.js';
import { createRevokeMethod } from '../../src/grpc/revoke-method.js';
import {
  CURSOR,
  createTestPolicy,
  REVOKES_ALL,
  startTestServer,
  type TestServer,
  TRUST_DOMAIN,
} from '../support/start-server.js';
import { ask } from './ask.js';
import { until } from './until.js';

const LONG_MS = 60_000;
const REVOKE = {
  target: { $case: 'token' as const, value: 'abc' },
  issuedBefore: undefined,
  reason: '',
  waitForCaches: false,
};
const WAITING = { ...REVOKE, waitForCaches: true };

function revokesWithLease(leasesEndInMs: number) {
  let revoked = 0;
  const token: typeof REVOKES_ALL.token = async (...args) => {
    const result = await REVOKES_ALL.token(...args);
    revoked++;
    return { ...result, leasesEndInMs };
  };
  return { revoke: { ...REVOKES_ALL, token }, count: () => revoked };
}

const audits = (server: TestServer) =>
  server
    .records()
    .filter(({ msg }) => msg === 'audit')
    .map(({ outcome, code, revision }) => [outcome, code, revision]);

describe('a revocation that waits for caches', () => {
  it('is acknowledged when every lease is over, and not before', async () => {
    const leaseMs = 150;
    await using server = await startTestServer({ revoke: revokesWithLease(leaseMs).revoke });
    const { introspection } = await server.connectAs('orders');
    await ask(introspection, 'revoke', REVOKE);
    const startedMs = performance.now();
    const { code, response } = await ask(introspection, 'revoke', WAITING);
    assert.ok(performance.now() - startedMs >= leaseMs, `${performance.now() - startedMs} ms`);
    assert.deepEqual([code, response?.revision], ['OK', CURSOR]);
  });

  it('has room of its own, bounded: it keeps no other revocation out, and beyond it nothing is revoked', async () => {
    const revokes = revokesWithLease(LONG_MS);
    await using server = await startTestServer({ revoke: revokes.revoke, limits: { inflight: 2 } });
    const { introspection } = await server.connectAs('orders');
    const calls: ClientUnaryCall[] = [];
    const waiting = [1, 2].map(() => ask(introspection, 'revoke', WAITING, { started: (call) => calls.push(call) }));
    await until(() => revokes.count() === 2);
    assert.equal((await ask(introspection, 'revoke', WAITING)).details.reason, 'OVERLOADED');
    assert.equal(revokes.count(), 2);
    for (let more = 0; more < 5; more++) assert.equal((await ask(introspection, 'revoke', REVOKE)).code, 'OK');
    calls[0]?.cancel();
    assert.equal((await waiting[0])?.code, 'CANCELLED');
    await until(() => server.records().some(({ code }) => code === 'CANCELLED'));
    const again = ask(introspection, 'revoke', WAITING, { started: (call) => calls.push(call) });
    await until(() => revokes.count() === 8);
    for (const call of calls) call.cancel();
    await Promise.all([...waiting, again]);
  });

  it('is made all the same when the deadline passes first, and stands in the audit before the wait', async () => {
    const revokes = revokesWithLease(LONG_MS);
    await using server = await startTestServer({ revoke: revokes.revoke });
    const { introspection } = await server.connectAs('orders');
    const answer = ask(introspection, 'revoke', WAITING, { timeoutMs: 1000 });
    await until(() => audits(server).length === 1);
    assert.deepEqual(audits(server), [['accepted', 'OK', CURSOR]]);
    assert.equal((await answer).code, 'DEADLINE_EXCEEDED');
    await until(() => server.records().some(({ msg, method }) => msg === 'call' && method === 'Revoke'));
    assert.deepEqual([revokes.count(), audits(server).length], [1, 1]);
  });

  it('is ended by a drain at once, with DRAINING', async () => {
    const revokes = revokesWithLease(LONG_MS);
    await using server = await startTestServer({ revoke: revokes.revoke });
    const { introspection } = await server.connectAs('orders');
    const answer = ask(introspection, 'revoke', WAITING, { timeoutMs: LONG_MS });
    await until(() => revokes.count() === 1);
    const startedMs = performance.now();
    await server.grpc.drain({ noticeMs: 0, budgetMs: 20_000 });
    assert.ok(performance.now() - startedMs < 5000, `${performance.now() - startedMs} ms`);
    const { code, details } = await answer;
    assert.deepEqual([code, details.reason], ['UNAVAILABLE', 'DRAINING']);
    assert.deepEqual(audits(server), [['accepted', 'OK', CURSOR]]);
  });

  it('has so much more time than other calls, and is not waited for once nobody waits for it', async () => {
    const { revoke } = revokesWithLease(LONG_MS);
    const waitingRoom = createInFlight(1);
    const audit = { write: () => undefined };
    const method = createRevokeMethod({ revoke, waitingRoom, audit, limits: { tokenBytes: 16 }, digestToken: String });
    const ended = new IntrospectdError('CANCELLED', 'the caller gave up');
    const told: unknown[] = [];
    const caller = createTestPolicy().getCaller([`${TRUST_DOMAIN}/orders`]);
    const result = await method.handle({
      caller,
      request: WAITING,
      requestId: 'r',
      deadlineMs: 0,
      signal: AbortSignal.abort(ended),
      moveTo: (room) => told.push(room),
      extend: (ms) => told.push(ms),
    });
    assert.deepEqual(told, [waitingRoom, LONG_MS]);
    assert.deepEqual(result.wait, { isOver: false, error: ended });
    assert.throws(() => method.encode(result, { caller, request: WAITING }), ended);
  });
});
