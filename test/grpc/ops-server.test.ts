import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createOpsServer, type OpsServer } from '../../src/grpc/ops-server.js';
import { createReadiness } from '../../src/grpc/readiness.js';

const readiness = createReadiness();
let scrape = async () => 'up 1\n';
let server: OpsServer;
let origin: string;
before(async () => {
  server = createOpsServer({ readiness, scrape: () => scrape() });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${port}`;
});
after(() => server.close());

async function get(path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(origin + path, init);
  return `${response.status} ${(await response.text()).trim()}`;
}

describe('ops server', () => {
  it('is alive whatever the store is, and ready when it is', async () => {
    for (const [state, ready] of [
      ['starting', '503 starting'],
      ['ready', '200 ready'],
      ['store_unavailable', '503 store_unavailable'],
      ['draining', '503 draining'],
    ] as const) {
      readiness.set(state);
      assert.equal(await get('/readyz'), ready);
      assert.equal(await get('/healthz'), '200 alive');
    }
  });

  it('has nothing else', async () => {
    for (const path of ['/', '/metrics/', '/readyz/', '/readyz?x', '/%72eadyz', '//readyz']) {
      assert.equal(await get(path), '404 not found');
    }
    assert.equal(await get('/readyz', { method: 'POST', body: 'x' }), '404 not found');
  });

  it('gives metrics, and says so when there are none', async () => {
    assert.equal(await get('/metrics'), '200 up 1');
    scrape = () => Promise.reject(new Error('secret'));
    assert.equal(await get('/metrics'), '500 metrics cannot be read');
  });

  it('refuses long headers', async () => {
    assert.match(await get('/healthz', { headers: { 'x-long': 'x'.repeat(5000) } }), /^431/);
  });

  it('says when its port is taken', async () => {
    const port = Number(new URL(origin).port);
    const second = createOpsServer({ readiness, scrape: () => scrape() });
    await assert.rejects(second.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
    await second.close();
  });
});
