// What is tried again: only what can pass by itself, when the server wants it, and not while it is down.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { Status } from '@introspectd/client/gen/google/rpc/status';
import { activeBytes, batchBytes, MINIMAL_CLAIMS, MINIMAL_RESULT, response, revokeBytes } from './support/messages.js';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.js';
import { detailsMetadata, errorInfo, retryInfo, rpcStatus } from './support/status-details.js';

type Failure = Partial<StatusObject>;

function unavailable(...details: Parameters<typeof rpcStatus>[2]): Failure {
  const encoded = Status.encode(rpcStatus(status.UNAVAILABLE, 'fixed text', details)).finish();
  return { code: status.UNAVAILABLE, details: 'fixed text', metadata: detailsMetadata(encoded) };
}

function pushback(text: string): Failure {
  const metadata = new Metadata();
  metadata.set('grpc-retry-pushback-ms', text);
  return { code: status.UNAVAILABLE, details: 'fixed text', metadata };
}

describe('retries', () => {
  let server: ScriptedServer;
  /** The failures of the calls to come; then they succeed. */
  let failures: Failure[];
  /** performance.now() of each attempt. */
  let attempts: number[];
  beforeEach(async () => {
    [failures, attempts] = [[], []];
    const answer =
      (bytes: Uint8Array) => (_call: unknown, reply: (error: Failure | null, bytes?: Uint8Array) => void) => {
        attempts.push(performance.now());
        const failure = failures.shift();
        if (failure === undefined) reply(null, bytes);
        else reply(failure);
      };
    const good = { $case: 'response', value: response({ active: true, claims: MINIMAL_CLAIMS }) } as const;
    server = await startScriptedServer({
      introspect: answer(activeBytes()),
      batchIntrospect: answer(batchBytes([good])),
      revoke: answer(revokeBytes('r')),
    });
  });
  afterEach(() => server.stop());

  it('of every call, until it succeeds', async () => {
    const client = server.connect();
    for (const [call, expected] of [
      [() => client.introspect('t'), MINIMAL_RESULT],
      [() => client.introspectMany(['t']), [MINIMAL_RESULT]],
      [() => client.revoke('t'), { revision: 'r' }],
    ] as const) {
      failures = [unavailable(), unavailable()];
      attempts = [];
      assert.deepEqual(await call(), expected);
      assert.equal(attempts.length, 3);
    }
    assert.equal(client.stats().retries, 6);
  });

  it('three attempts, or as many as wanted', async () => {
    for (const [retry, count] of [
      [undefined, 3],
      [{ maxAttempts: 2 }, 2],
      [{ maxAttempts: 1 }, 1],
      [false, 1],
    ] as const) {
      failures = Array.from({ length: 10 }, () => unavailable());
      attempts = [];
      await assert.rejects(server.connect({ retry }).introspect('t'), { code: 'UNAVAILABLE' });
      assert.equal(attempts.length, count);
    }
    assert.throws(() => server.connect({ retry: { maxAttempts: 0 } }), { code: 'INVALID_ARGUMENT' });
  });

  const others = Object.entries(status).filter(([, code]) => typeof code === 'number' && code !== 0 && code !== 14);
  for (const [name, code] of others) {
    it(`not of ${name}`, async () => {
      failures = [{ code: Number(code), details: 'fixed text' }];
      await assert.rejects(server.connect().introspect('t'), { code: name as 'INTERNAL' });
      assert.equal(attempts.length, 1);
    });
  }

  it('not before the server says so', async () => {
    for (const failure of [unavailable(retryInfo(0, 300_000_000)), pushback('300')]) {
      failures = [failure];
      attempts = [];
      await server.connect().introspect('t');
      const [first = 0, second = 0] = attempts;
      assert.ok(second - first >= 295, `${second - first} ms`);
    }
  });

  it('not when the server says that they are not wanted, or later than the call may take', async () => {
    for (const failure of [pushback('-1'), pushback('soon'), unavailable(retryInfo(60, 0))]) {
      failures = [failure];
      attempts = [];
      const startMs = performance.now();
      await assert.rejects(server.connect({ timeoutMs: 4_000 }).introspect('t'), { code: 'UNAVAILABLE' });
      assert.equal(attempts.length, 1);
      assert.ok(performance.now() - startMs < 3_000, 'it does not wait for what it will not do');
    }
  });

  it('not while most calls fail: a budget', async () => {
    const client = server.connect();
    failures = Array.from({ length: 1_000 }, () => unavailable(errorInfo('STORE_UNAVAILABLE')));
    const calls = 120;
    for (let call = 0; call < calls; call++) await assert.rejects(client.introspect('t'), { code: 'UNAVAILABLE' });
    assert.ok(attempts.length <= calls + 50, `${attempts.length} attempts of ${calls} calls`);
    failures = [];
    for (let call = 0; call < 600; call++) await client.introspect('t');
    failures = [unavailable()];
    assert.deepEqual(await client.introspect('t'), MINIMAL_RESULT);
  });

  it('end with the call', async () => {
    const client = server.connect();
    const controller = new AbortController();
    failures = [unavailable(retryInfo(3, 0))];
    const pending = client.introspect('t', { signal: controller.signal });
    while (attempts.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort('enough');
    await assert.rejects(pending, { code: 'CANCELLED', cause: 'enough' });
    assert.equal(attempts.length, 1);
  });
});
