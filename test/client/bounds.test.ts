// What bounds a call: its deadline, its signal, the client's end.
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { createIntrospectionClient, type IntrospectionClient } from '@introspectd/client';
import type { RevokeRequest } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { activeBytes, batchBytes, MINIMAL_RESULT, response, revokeBytes } from './support/messages.js';
import { clientTls, type ScriptedServer, startScriptedServer } from './support/scripted-server.js';

interface Seen {
  readonly call: ServerUnaryCall<unknown, Uint8Array>;
  readonly reply: sendUnaryData<Uint8Array>;
}

describe('bounds of a call', () => {
  let server: ScriptedServer;
  let client: IntrospectionClient;
  let answers: boolean;
  const seen: Seen[] = [];
  const revoked: RevokeRequest[] = [];
  let onSeen: (() => void) | undefined;

  before(async () => {
    const script = (bytes: Uint8Array) => (call: Seen['call'], reply: Seen['reply']) => {
      seen.push({ call, reply });
      onSeen?.();
      if (answers) reply(null, bytes);
    };
    server = await startScriptedServer({
      introspect: script(activeBytes()),
      batchIntrospect: script(batchBytes([{ $case: 'response', value: response({}) }])),
      revoke: (call, reply) => {
        revoked.push(call.request);
        script(revokeBytes('r-1'))(call, reply);
      },
    });
    client = server.connect();
  });
  after(() => server.stop());

  function calls(of: IntrospectionClient, options: { signal?: AbortSignal; timeoutMs?: number } = {}) {
    return [
      () => of.introspect('t', options),
      () => of.introspectMany(['t'], options),
      () => of.revoke('t', options),
    ] as const;
  }

  /** The next call that reaches the server. */
  function nextSeen(): Promise<Seen> {
    return new Promise((resolve) => {
      onSeen = () => {
        onSeen = undefined;
        resolve(seen.at(-1) as Seen);
      };
    });
  }

  function remainingMs({ call }: Seen): number {
    return Number(call.getDeadline()) - Date.now();
  }

  it('revokes with a reason', async () => {
    answers = true;
    assert.deepEqual(await client.revoke('t', { reason: 'leaked' }), { revision: 'r-1' });
    assert.deepEqual(await client.revoke('t'), { revision: 'r-1' });
    const target = { $case: 'token', value: 't' };
    assert.deepEqual(revoked.splice(0), [
      { target, issuedBefore: undefined, reason: 'leaked', waitForCaches: false },
      { target, issuedBefore: undefined, reason: '', waitForCaches: false },
    ]);
  });

  it('has a deadline of 1,000 ms, unless told otherwise', async () => {
    answers = true;
    const byDefault = createIntrospectionClient({ target: server.target, tls: clientTls });
    for (const [of, options, limitMs] of [
      [byDefault, {}, 1_000],
      [byDefault, { timeoutMs: 60_000 }, 60_000],
      [client, {}, 5_000],
    ] as const) {
      for (const call of calls(of, options)) {
        const reached = nextSeen();
        await call();
        const leftMs = remainingMs(await reached);
        assert.ok(leftMs <= limitMs && leftMs > limitMs / 4, `${leftMs} ms are left of ${limitMs}`);
      }
    }
    await byDefault.close();
  });

  it('rejects when the deadline passed', async () => {
    answers = false;
    for (const call of calls(client, { timeoutMs: 50 })) {
      await assert.rejects(call(), { name: 'IntrospectionError', code: 'DEADLINE_EXCEEDED', retryable: false });
    }
  });

  for (const timeoutMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    it(`refuses a timeout of ${timeoutMs}`, async () => {
      const refused = { name: 'IntrospectionError', code: 'INVALID_ARGUMENT' };
      assert.throws(() => createIntrospectionClient({ target: server.target, tls: clientTls, timeoutMs }), refused);
      for (const call of calls(client, { timeoutMs })) await assert.rejects(call(), refused);
    });
  }

  it('does not call when the signal is aborted already', async () => {
    answers = true;
    const before = seen.length;
    const reason = new Error('not needed any more');
    for (const call of calls(client, { signal: AbortSignal.abort(reason) })) {
      await assert.rejects(call(), { name: 'IntrospectionError', code: 'CANCELLED', retryable: false, cause: reason });
    }
    await client.introspect('t');
    assert.equal(seen.length, before + 1);
  });

  it('cancels the call in flight when the signal is aborted', async () => {
    answers = false;
    for (const index of [0, 1, 2] as const) {
      const controller = new AbortController();
      const reached = nextSeen();
      const pending = calls(client, { signal: controller.signal })[index]();
      const { call } = await reached;
      const cancelled = once(call, 'cancelled', { signal: AbortSignal.timeout(5_000) });
      controller.abort('enough');
      await assert.rejects(pending, { name: 'IntrospectionError', code: 'CANCELLED', cause: 'enough' });
      await cancelled;
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    }
  });

  it('leaves no listener on a signal', async () => {
    const { signal } = new AbortController();
    answers = true;
    for (const call of calls(client, { signal })) await call();
    answers = false;
    for (const call of calls(client, { signal, timeoutMs: 50 })) await assert.rejects(call());
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('closes after the calls in flight, and only once', async () => {
    answers = false;
    const closing = server.connect();
    const reached = nextSeen();
    const pending = closing.introspect('t');
    const { reply } = await reached;
    let isClosed = false;
    const closed = Promise.all([closing.close(), closing.close()]).then(() => {
      isClosed = true;
    });
    for (const call of calls(closing)) {
      await assert.rejects(call(), { name: 'IntrospectionError', code: 'CANCELLED', retryable: false });
    }
    assert.equal(isClosed, false);
    reply(null, activeBytes());
    assert.deepEqual(await pending, MINIMAL_RESULT);
    await closed;
  });

  it('closes at the end of its scope', async () => {
    answers = true;
    let outer: IntrospectionClient;
    {
      await using inner = server.connect();
      outer = inner;
      await inner.introspect('t');
    }
    await assert.rejects(outer.introspect('t'), { code: 'CANCELLED' });
  });
});
