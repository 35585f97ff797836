// Certificates that change under a running client: new connections for new calls, and nothing kept of another identity.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { IntrospectionServiceClient } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { until } from '../grpc/until.js';
import type { TestIdentity } from '../support/test-ca.js';
import { authority, clientLeaf } from './support/scripted-server.js';
import { startWatchedServer, type WatchedServer } from './support/watched-server.js';

describe('TLS files that change', () => {
  let server: WatchedServer;
  let folder: string;
  let said: string[];
  beforeEach(async () => {
    server = await startWatchedServer();
    folder = mkdtempSync(join(tmpdir(), 'introspectd-client-'));
    said = [];
    write(clientLeaf);
  });
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const path = (name: string) => join(folder, name);

  function write({ certPem, keyPem }: Pick<TestIdentity, 'certPem' | 'keyPem'>): void {
    writeFileSync(path('ca.pem'), authority.certPem);
    writeFileSync(path('cert.pem'), certPem);
    writeFileSync(path('key.pem'), keyPem);
  }

  function options() {
    const log = (_: unknown, message: string) => void said.push(message);
    return {
      tls: { caFile: path('ca.pem'), certFile: path('cert.pem'), keyFile: path('key.pem'), reloadMs: 20 },
      logger: { info: log, warn: log },
    };
  }

  const newLeaf = (name: string) => authority.issue({ uris: [`spiffe://mesh.example/${name}`] });

  it('are used by the calls that come, and no call fails', async () => {
    const client = server.connect({ ...options(), cache: false });
    await client.introspect('t');
    const failures: unknown[] = [];
    let isOver = false;
    const load = (async () => {
      while (!isOver) {
        const calls = [client.introspect('t'), client.introspect('u'), client.introspectMany(['v'])];
        for (const outcome of await Promise.allSettled(calls)) {
          if (outcome.status === 'rejected') failures.push(outcome.reason);
        }
      }
    })();
    const slow = server.hold('slow');
    // Of an audience of its own: in a request of its own.
    const begunBefore = client.introspect('slow', { audiences: ['slow'], timeoutMs: 30_000 });
    await slow.arrived;
    for (const name of ['orders-2', 'orders-3', 'orders-4']) {
      write(await newLeaf(name));
      const count = said.length;
      await until(() => said.length > count);
      await until(() => server.callers.at(-1) === `spiffe://mesh.example/${name}`);
    }
    isOver = true;
    await load;
    slow.release();
    assert.equal((await begunBefore).active, true);
    assert.deepEqual(failures, []);
    assert.deepEqual(new Set(said), new Set(['TLS files reloaded']));
  });

  it('end what was kept for the identity before, and the watch goes on as the new one', async () => {
    const client = await server.connectWithLease(options());
    await client.introspect('t');
    assert.equal(await server.isHit(client, 't'), true);
    write(await newLeaf('somebody-else'));
    await until(() => said.length === 1);
    assert.equal(client.stats().entries, 0);
    assert.equal(await server.isHit(client, 't'), false);
    await until(() => client.stats().cache === 'leased');
    assert.equal(await server.isHit(client, 't'), false);
    assert.equal(await server.isHit(client, 't'), true);
    assert.equal(server.callers.at(-1), 'spiffe://mesh.example/somebody-else');
  });

  it('change nothing when they cannot be used, which is said once', async () => {
    const client = server.connect({ ...options(), cache: false });
    await client.introspect('t');
    const { keyPem } = await newLeaf('other');
    for (const [name, text] of [
      ['key.pem', keyPem],
      ['cert.pem', 'half a certifi'],
    ] as const) {
      const count = said.length;
      writeFileSync(path(name), text);
      await until(() => said.length === count + 1);
      assert.equal(said.at(-1), 'TLS files not reloaded: those before stay in use');
      assert.equal((await client.introspect('t')).active, true);
    }
    rmSync(path('key.pem'));
    await until(() => said.length === 3);
    assert.equal((await client.introspect('t')).active, true);
    write(await newLeaf('orders-2'));
    await until(() => said.length === 4);
    await client.introspect('t');
    assert.equal(server.callers.at(-1), 'spiffe://mesh.example/orders-2');
  });

  it('are those of other stubs on the same channel too', async () => {
    const client = server.connect({ ...options(), cache: false });
    const stub = new IntrospectionServiceClient('unused', credentials.createInsecure(), {
      channelOverride: client.raw.getChannel(),
    });
    const ask = () =>
      new Promise<boolean>((resolve, reject) => {
        const request = { token: 't', tokenTypeHint: '', audiences: [], includeTags: false };
        stub.introspect(request, (error, response) => (error ? reject(error) : resolve(response.active)));
      });
    assert.equal(await ask(), true);
    write(await newLeaf('orders-2'));
    await until(() => said.length === 1);
    assert.equal(await ask(), true);
    assert.equal(server.callers.at(-1), 'spiffe://mesh.example/orders-2');
  });

  for (const reloadMs of [-1, 0.5, 2 ** 31]) {
    it(`cannot be looked at every ${reloadMs} ms`, () => {
      const { tls } = options();
      assert.throws(() => server.connect({ tls: { ...tls, reloadMs } }), { code: 'INVALID_ARGUMENT' });
    });
  }
});
