import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestServer } from '../support/start-server.js';
import { ask } from './ask.js';

const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };

describe('server', () => {
  it('says when its port is taken', async () => {
    await using first = await startTestServer();
    await using second = await startTestServer();
    await assert.rejects(second.grpc.listen(first.target), /EADDRINUSE/);
  });

  it('takes the largest requests that its limits allow', async () => {
    const limits = { batchTokens: 1500, tokenBytes: 4096 };
    await using server = await startTestServer({ limits });
    const { introspection } = await server.connectAs('orders');
    const items = Array.from({ length: 1500 }, () => ({ token: 'x'.repeat(4096), tokenTypeHint: '' }));
    const answer = await ask(introspection, 'batchIntrospect', { items, audiences: [], includeTags: false });
    assert.deepEqual([answer.code, answer.response?.results.length], ['OK', 1500]);
  });

  it('closes connections at their age, and no call is lost by it', async () => {
    await using server = await startTestServer({ limits: { connectionAgeMs: 100 } });
    const { introspection } = await server.connectAs('orders');
    const endMs = performance.now() + 400;
    while (performance.now() < endMs) {
      assert.equal((await ask(introspection, 'introspect', REQUEST)).code, 'OK');
    }
  });
});
