// The adapter: who goes away, who comes too late, how many run at once, and what a broken handler may tell.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, before, describe, it, mock } from 'node:test';
import type { ClientUnaryCall, Metadata } from '@grpc/grpc-js';
import { IntrospectdError } from '../../src/core/errors.js';
import type { Introspect } from '../../src/core/introspect.js';
import { createCallLifetime, MAX_CALL_MS } from '../../src/grpc/call-lifetime.js';
import { INACTIVE_TO_ALL, REVOKES_ALL, startTestServer } from '../support/start-server.js';
import { ask } from './ask.js';
import { until } from './until.js';

const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };
const REVOKE = {
  target: { $case: 'token' as const, value: 'abc' },
  issuedBefore: undefined,
  reason: '',
  waitForCaches: false,
};

/** An introspection that answers when it is told to. */
function createHeldIntrospect() {
  const waiting: (() => void)[] = [];
  let most = 0;
  const introspect: Introspect = {
    ...INACTIVE_TO_ALL,
    one: (command, token) =>
      new Promise((resolve) => {
        waiting.push(() => resolve(INACTIVE_TO_ALL.one(command, token)));
        most = Math.max(most, waiting.length);
      }),
  };
  return {
    introspect,
    running: () => waiting.length,
    most: () => most,
    release: () => {
      for (const go of waiting.splice(0)) go();
    },
  };
}

it('answers go past grpc-js, which would send a date: a version that has moved what direct-answer.ts needs costs speed alone', async () => {
  await using server = await startTestServer();
  const { introspection } = await server.connectAs('orders');
  let headers: Metadata | undefined;
  const started = (call: ClientUnaryCall) => call.once('metadata', (metadata) => (headers = metadata));
  const { code } = await ask(introspection, 'introspect', REQUEST, { started });
  assert.equal(code, 'OK');
  assert.deepEqual(Object.keys(headers?.getMap() ?? {}), ['content-type']);
});

describe('room', () => {
  it('is taken by handlers, not by streams: cancelled calls keep theirs until they are done', async () => {
    const held = createHeldIntrospect();
    await using server = await startTestServer({ introspect: held.introspect, limits: { inflight: 5 } });
    const { introspection } = await server.connectAs('orders');

    for (let call = 0; call < 50; call++) {
      // In turn, so that each is at the server before it is cancelled.
      const before = held.running();
      let started: ClientUnaryCall | undefined;
      let isAnswered = false;
      const answer = ask(introspection, 'introspect', REQUEST, { started: (it) => (started = it) });
      void answer.finally(() => (isAnswered = true));
      await until(() => isAnswered || held.running() > before);
      started?.cancel();
      const { code, details } = await answer;
      assert.equal(code, call < 5 ? 'CANCELLED' : 'RESOURCE_EXHAUSTED');
      if (call >= 5) assert.deepEqual([details.reason, details.retryMs], ['OVERLOADED', 100]);
    }
    assert.equal(held.most(), 5);

    const { health } = await server.connectAs('orders');
    assert.equal((await ask(health, 'check', { service: '' })).code, 'OK', 'health has room of its own');
    assert.equal((await ask(introspection, 'revoke', REVOKE)).code, 'OK', 'and so have revocations');

    held.release();
    await until(() => server.records().filter(({ code }) => code === 'CANCELLED').length === 5);
    const last = ask(introspection, 'introspect', REQUEST);
    await until(() => held.running() === 1);
    held.release();
    assert.equal((await last).code, 'OK');
  });

  it('holds under a burst of cancelled calls', async () => {
    const held = createHeldIntrospect();
    await using server = await startTestServer({ introspect: held.introspect, limits: { inflight: 20 } });
    const { introspection } = await server.connectAs('orders');
    const answers = Array.from({ length: 300 }, () => {
      let started: ClientUnaryCall | undefined;
      const answer = ask(introspection, 'introspect', REQUEST, { started: (it) => (started = it) });
      setImmediate(() => setImmediate(() => started?.cancel()));
      return answer;
    });
    await Promise.all(answers);
    assert.ok(held.most() <= 20, `${held.most()} handlers ran at once`);
    held.release();
  });
});

describe('a call that nobody waits for', () => {
  it('past its deadline: DEADLINE_EXCEEDED, and its handler is not waited for', async () => {
    const held = createHeldIntrospect();
    await using server = await startTestServer({ introspect: held.introspect });
    const { health, introspection } = await server.connectAs('orders');
    await ask(health, 'check', { service: '' });
    const answer = ask(introspection, 'introspect', REQUEST, { timeoutMs: 100 });
    await until(() => held.running() === 1);
    const beganMs = performance.now();
    assert.equal((await answer).code, 'DEADLINE_EXCEEDED');
    // The server counts from when the call came in; its timer runs in this very loop.
    await until(() => performance.now() > beganMs + 110);
    held.release();
    await until(() => server.records().some(({ method }) => method === 'Introspect'));
    const record = server.records().find(({ method }) => method === 'Introspect');
    assert.equal(record?.code, 'DEADLINE_EXCEEDED');
    assert.equal(record?.level, 'info');
  });
});

describe('a revocation whose caller went away', () => {
  it('is made all the same, and stands in the audit', async () => {
    let release: (() => void) | undefined;
    const revoke: typeof REVOKES_ALL = {
      ...REVOKES_ALL,
      token: (...args) => new Promise((resolve) => (release = () => resolve(REVOKES_ALL.token(...args)))),
    };
    await using server = await startTestServer({ revoke });
    const { introspection } = await server.connectAs('orders');
    const answer = await new Promise<string>((resolve) => {
      const call = introspection.revoke(REVOKE, (error) => resolve(error?.details ?? 'OK'));
      void until(() => release !== undefined).then(() => call.cancel());
    });
    assert.match(answer, /[Cc]ancelled/);
    release?.();
    await until(() => server.records().some(({ msg }) => msg === 'audit'));
    const audit = server.records().find(({ msg }) => msg === 'audit');
    assert.equal(audit?.outcome, 'accepted');
  });
});

describe('a handler that breaks', () => {
  const SECRET = 'secret-token-abc';
  const THROWS: readonly (readonly [name: string, thrown: unknown, logged: Record<string, unknown>])[] = [
    ['an Error', new TypeError(SECRET), { error: 'TypeError' }],
    ['an Error with a code', Object.assign(new Error(SECRET), { code: 'ECONNRESET' }), { error_code: 'ECONNRESET' }],
    ['an Error of a hostile name', Object.assign(new Error(SECRET), { name: `${SECRET} x` }), { error: 'object' }],
    ['a string', SECRET, { error: 'string' }],
    ['nothing', undefined, { error: 'Error' }],
  ];
  for (const [name, thrown, logged] of THROWS) {
    it(`${name}: INTERNAL, its text nowhere`, async () => {
      const introspect: Introspect = { ...INACTIVE_TO_ALL, one: () => Promise.reject(thrown) };
      await using server = await startTestServer({ introspect });
      const { introspection } = await server.connectAs('orders');
      const answer = await ask(introspection, 'introspect', REQUEST);
      assert.deepEqual([answer.code, answer.details.reason], ['INTERNAL', 'INTERNAL']);
      assert.ok(!JSON.stringify([answer, answer.trailer.toHttp2Headers()]).includes(SECRET));
      await until(() => server.records().length > 0);
      const [record] = server.records();
      assert.equal(record?.level, 'error');
      assert.equal(record?.request_id, answer.trailer.get('x-request-id')[0]);
      assert.deepEqual({ ...record, ...logged }, record);
      assert.ok(!server.raw().includes(SECRET));
    });
  }
});

describe('the lifetime of a call', () => {
  before(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 }));
  after(() => mock.timers.reset());

  const createCall = (deadline: number) =>
    Object.assign(new EventEmitter(), { cancelled: false, getDeadline: () => deadline });

  it('without a deadline ends at ours', () => {
    const expired: IntrospectdError[] = [];
    const lifetime = createCallLifetime(createCall(Number.POSITIVE_INFINITY), (error) => expired.push(error));
    const { signal } = lifetime;
    assert.equal(lifetime.deadlineMs, Date.now() + MAX_CALL_MS);
    mock.timers.tick(MAX_CALL_MS - 1);
    assert.deepEqual([expired.length, signal.aborted, lifetime.findEnd()], [0, false, undefined]);
    mock.timers.tick(1);
    assert.deepEqual([expired[0]?.reason, signal.aborted, lifetime.findEnd()?.reason], ['DEADLINE', true, 'DEADLINE']);
  });

  it('that waits on purpose ends so much later, and at the deadline of its client all the same', () => {
    const expired: IntrospectdError[] = [];
    const lifetime = createCallLifetime(createCall(Number.POSITIVE_INFINITY), (error) => expired.push(error));
    mock.timers.tick(MAX_CALL_MS - 1);
    lifetime.extend(5000);
    assert.equal(lifetime.deadlineMs, Date.now() + 5001);
    mock.timers.tick(5000);
    assert.deepEqual([expired.length, lifetime.findEnd()], [0, undefined]);
    mock.timers.tick(1);
    assert.deepEqual([expired.length, lifetime.findEnd()?.reason], [1, 'DEADLINE']);
    const bounded = createCallLifetime(createCall(Date.now() + 10), () => undefined);
    bounded.extend(5000);
    mock.timers.tick(10);
    assert.equal(bounded.findEnd()?.reason, 'DEADLINE');
  });

  it('is over when the server says so', () => {
    const lifetime = createCallLifetime(createCall(Number.POSITIVE_INFINITY), () => assert.fail('it has ended'));
    const { signal } = lifetime;
    const draining = new IntrospectdError('DRAINING', 'stopping');
    lifetime.end(draining);
    lifetime.extend(5000);
    assert.deepEqual([signal.aborted, signal.reason, lifetime.findEnd()], [true, draining, draining]);
    lifetime.stop();
  });

  it('ends with the handler', () => {
    const lifetime = createCallLifetime(createCall(Number.POSITIVE_INFINITY), () => assert.fail('too late'));
    lifetime.stop();
    mock.timers.tick(MAX_CALL_MS * 2);
  });

  it('is over before it began when the call is cancelled or late', () => {
    const cancelled = Object.assign(createCall(Date.now() + 10), { cancelled: true });
    assert.equal(createCallLifetime(cancelled, () => undefined).findEnd()?.reason, 'CANCELLED');
    assert.equal(createCallLifetime(cancelled, () => undefined).signal.aborted, true);
    assert.equal(createCallLifetime(createCall(Date.now()), () => undefined).findEnd()?.reason, 'DEADLINE');
  });

  it('aborts its signal when the client cancels', () => {
    const call = createCall(Date.now() + 10);
    const { signal } = createCallLifetime(call, () => undefined);
    assert.equal(signal.aborted, false);
    call.emit('cancelled');
    assert.equal(signal.aborted, true);
  });
});
