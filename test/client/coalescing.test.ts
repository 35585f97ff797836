// Calls that leave together, and what they share: a request and a question, never an error of later, never a cancel.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { IntrospectionError } from '@introspectd/client';
import { Status } from '@introspectd/client/gen/google/rpc/status';
import { until } from '../grpc/until.js';
import { activeBytes, batchBytes, MINIMAL_CLAIMS, response } from './support/messages.js';
import { type ScriptedServer, type Scripts, startScriptedServer } from './support/scripted-server.js';
import { detailsMetadata, errorInfo, rpcStatus } from './support/status-details.js';
import { activeWith, startWatchedServer, tagOf, type WatchedServer } from './support/watched-server.js';

const tokens = (count: number, name = 't') => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('calls of one tick', () => {
  let server: ScriptedServer;
  /** Of each request, in the order of their arrival. */
  let arrived: string[][];
  let scripts: Scripts;
  beforeEach(async () => {
    arrived = [];
    scripts = {
      introspect: ({ request }, reply) => {
        arrived.push([request.token]);
        reply(null, activeBytes({ sub: request.token }));
      },
      batchIntrospect: ({ request: { items } }, reply) => {
        arrived.push(items.map(({ token }) => token));
        const claims = (sub: string) => ({ ...MINIMAL_CLAIMS, sub });
        reply(
          null,
          batchBytes(
            items.map(({ token }) => ({ $case: 'response', value: response({ active: true, claims: claims(token) }) })),
          ),
        );
      },
    };
    server = await startScriptedServer({
      introspect: (call, reply) => scripts.introspect?.(call, reply),
      batchIntrospect: (call, reply) => scripts.batchIntrospect?.(call, reply),
    });
  });
  afterEach(() => server.stop());

  it('leave as one request, and one call alone as itself', async () => {
    const client = server.connect();
    const results = await Promise.all(tokens(50).map((token) => client.introspect(token)));
    assert.deepEqual(
      results.map((result) => result.active && result.sub),
      tokens(50),
    );
    assert.deepEqual(arrived.splice(0), [tokens(50)]);
    await client.introspect('alone');
    assert.deepEqual(arrived, [['alone']]);
  });

  it('are as many requests as they have audiences, of 100 tokens at most', async () => {
    const client = server.connect();
    const ask = (audience: string, count: number) =>
      tokens(count, audience).map((token) => client.introspect(token, { audiences: [audience] }));
    await Promise.all([...ask('a', 120), ...ask('b', 3)]);
    assert.deepEqual(arrived.map(({ length }) => length).sort(), [100, 20, 3].sort());
  });

  it('are one question where they ask the same: 5,000 calls, one read', async () => {
    const client = server.connect({ cache: false });
    const results = await Promise.all(Array.from({ length: 5_000 }, () => client.introspect('t')));
    assert.equal(results.length, 5_000);
    assert.deepEqual(arrived, [['t']]);
  });

  it('share nothing when that is not wanted', async () => {
    const client = server.connect({ coalesce: false });
    await Promise.all([client.introspect('t'), client.introspect('t'), client.introspect('u')]);
    assert.deepEqual(arrived.sort(), [['t'], ['t'], ['u']]);
  });

  for (const [name, code, reason, message] of [
    ['may not ask in batches', status.PERMISSION_DENIED, 'PERMISSION_MISSING', 'no'],
    ['may not, from a server that says no reason', status.PERMISSION_DENIED, undefined, 'no'],
    ['meets a server without batches', status.UNIMPLEMENTED, undefined, 'no'],
  ] as const) {
    it(`a caller that ${name} asks singly, and learns it once`, async () => {
      let batches = 0;
      const details = reason === undefined ? [] : [errorInfo(reason)];
      const metadata = detailsMetadata(Status.encode(rpcStatus(code, message, details)).finish());
      scripts = {
        ...scripts,
        batchIntrospect: (_call, reply) => {
          batches += 1;
          reply({ code, details: message, metadata });
        },
      };
      const client = server.connect();
      for (let round = 0; round < 3; round++) {
        await Promise.all(tokens(20).map((token) => client.introspect(token)));
      }
      assert.equal(batches, 1);
      assert.equal(arrived.length, 60);
    });
  }

  it('a caller that the server does not know at all fails at once', async () => {
    const denied = rpcStatus(status.PERMISSION_DENIED, 'no', [errorInfo('CALLER_UNKNOWN')]);
    scripts = {
      ...scripts,
      batchIntrospect: (_call, reply) =>
        reply({ code: denied.code, details: 'no', metadata: detailsMetadata(Status.encode(denied).finish()) }),
    };
    const client = server.connect();
    const outcomes = await Promise.allSettled(tokens(20).map((token) => client.introspect(token)));
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.reason === 'CALLER_UNKNOWN'));
    assert.deepEqual(arrived, []);
  });

  it('are smaller requests where the server takes smaller ones', async () => {
    const answer = scripts.batchIntrospect;
    const tooLarge = rpcStatus(status.INVALID_ARGUMENT, 'too many', [errorInfo('BATCH_TOO_LARGE')]);
    scripts = {
      ...scripts,
      batchIntrospect: (call, reply) => {
        if (call.request.items.length <= 10) answer?.(call, reply);
        else reply({ code: tooLarge.code, details: '', metadata: detailsMetadata(Status.encode(tooLarge).finish()) });
      },
    };
    const client = server.connect();
    const results = await Promise.all(tokens(50).map((token) => client.introspect(token)));
    assert.ok(results.every(({ active }) => active));
    assert.ok(arrived.every(({ length }) => length <= 10));
  });

  it('fail alone where the fault is one of theirs', async () => {
    const answer = scripts.batchIntrospect;
    scripts = {
      ...scripts,
      batchIntrospect: (call, reply) => {
        if (call.request.items.length !== 3) return answer?.(call, reply);
        const fault = { $case: 'error', value: rpcStatus(3, 'malformed', [errorInfo('TOKEN_MALFORMED')]) } as const;
        const good = { $case: 'response', value: response({ active: true, claims: MINIMAL_CLAIMS }) } as const;
        reply(null, batchBytes([good, fault, { $case: 'response', value: response({ active: true }) }]));
      },
    };
    const client = server.connect();
    const [good, bad, broken] = await Promise.allSettled(['a', 'b', 'c'].map((token) => client.introspect(token)));
    assert.equal(good?.status, 'fulfilled');
    assert.ok(bad?.status === 'rejected' && bad.reason instanceof IntrospectionError);
    assert.equal(bad.reason.reason, 'TOKEN_MALFORMED');
    assert.ok(broken?.status === 'rejected' && broken.reason.code === 'INTERNAL');
  });

  it('end one by one: a cancel and a short deadline are nobody else’s', async () => {
    let release: (() => void) | undefined;
    const answer = scripts.batchIntrospect;
    scripts = {
      ...scripts,
      batchIntrospect: (call, reply) => {
        release = () => answer?.(call, reply);
      },
    };
    const client = server.connect();
    // Connects, so that the short deadline is not over before the request has left.
    await client.introspect('first');
    const controller = new AbortController();
    const cancelled = client.introspect('a', { signal: controller.signal });
    const twin = client.introspect('a');
    const short = client.introspect('b', { timeoutMs: 100 });
    const patient = client.introspect('b');
    await assert.rejects(short, { code: 'DEADLINE_EXCEEDED' });
    controller.abort('enough');
    await assert.rejects(cancelled, { code: 'CANCELLED', cause: 'enough' });
    await until(() => release !== undefined);
    release?.();
    assert.ok((await twin).active);
    assert.ok((await patient).active);
  });

  it('end the request when all of them have given up', async () => {
    let cancelled: Promise<unknown> = Promise.resolve();
    let isThere = false;
    scripts = {
      ...scripts,
      batchIntrospect: (call) => {
        cancelled = once(call, 'cancelled', { signal: AbortSignal.timeout(5_000) });
        isThere = true;
      },
    };
    const client = server.connect();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }, index) => client.introspect(`t${index}`, { signal }));
    const ends = Promise.allSettled(calls);
    await until(() => isThere);
    for (const controller of controllers) controller.abort();
    await cancelled;
    assert.ok((await ends).every((outcome) => outcome.status === 'rejected'));
  });
});

describe('a question that was sent', () => {
  let server: WatchedServer;
  beforeEach(async () => {
    server = await startWatchedServer();
  });
  afterEach(() => server.stop());

  it('is shared under a lease: 5,000 calls over many ticks, one read', async () => {
    const client = await server.connectWithLease();
    const sent = server.hold('t');
    const calls = [client.introspect('t')];
    await sent.arrived;
    for (let tick = 0; tick < 50; tick++) {
      for (let call = 0; call < 100; call++) calls.push(client.introspect('t'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    sent.release();
    const results = await Promise.all(calls);
    assert.equal(results.length, 5_001);
    assert.deepEqual(server.requests, [{ tokens: ['t'], includeTags: true }]);
  });

  it('is not shared with those who came later, when a revocation named it meanwhile', async () => {
    const client = await server.connectWithLease();
    await client.introspect('u');
    const sent = server.hold('t');
    const first = client.introspect('t');
    await sent.arrived;
    const late = client.introspect('t');
    server.tell(tagOf('t'), tagOf('u'));
    await until(() => client.stats().drops === 1);
    server.answer = () => ({ active: false });
    sent.release();
    assert.equal((await first).active, true);
    assert.equal((await late).active, false);
  });

  it('is not shared with those who came later, when its time is over before it comes', async () => {
    server.answer = (token) => ({ ...activeWith(token), cacheMs: 50n });
    const client = await server.connectWithLease();
    const sent = server.hold('t');
    const first = client.introspect('t');
    await sent.arrived;
    const late = client.introspect('t');
    await new Promise((resolve) => setTimeout(resolve, 60));
    server.answer = () => ({ active: false });
    sent.release();
    assert.deepEqual([(await first).active, (await late).active], [true, false]);
  });

  it('is not shared with those who want it fresh, or without a cache', async () => {
    for (const [options, call] of [
      [{}, { fresh: true }],
      [{ cache: false }, {}],
    ] as const) {
      const client = await (options.cache === false ? server.connect(options) : server.connectWithLease(options));
      server.requests.length = 0;
      const sent = server.hold('t');
      const first = client.introspect('t', call);
      await sent.arrived;
      const second = client.introspect('t', call);
      await until(() => server.requests.length === 2);
      sent.release();
      await Promise.all([first, second]);
      server.beforeAnswer = () => undefined;
    }
  });

  it('fails for those who were there; who came later asks again', async () => {
    const client = await server.connectWithLease({ retry: false });
    const sent = server.hold('t');
    const first = client.introspect('t', { timeoutMs: 300 });
    await sent.arrived;
    const late = client.introspect('t', { timeoutMs: 4_000 });
    server.beforeAnswer = () => undefined;
    await assert.rejects(first, { code: 'DEADLINE_EXCEEDED' });
    assert.deepEqual(await late, { ...(await client.introspect('t')) });
    assert.equal(server.requests.length, 2);
  });
});
