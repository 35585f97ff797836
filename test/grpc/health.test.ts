// Readiness over grpc.health.v1, for callers that the policy knows and nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../../src/gen/grpc/health/v1/health.js';
import { startTestServer, type TestServer } from '../support/start-server.js';
import { ask, readDetails } from './ask.js';
import { until } from './until.js';

const SERVICES = ['', 'introspectd.v1.IntrospectionService', 'introspectd.v1.TokenRegistryService'];

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server.close());

describe('health', () => {
  it('follows readiness, and needs no permission', async () => {
    const { health } = await server.connectAs('nobody');
    for (const [state, status] of [
      ['ready', ServingStatus.SERVING],
      ['store_unavailable', ServingStatus.NOT_SERVING],
      ['ready', ServingStatus.SERVING],
    ] as const) {
      server.readiness.set(state);
      for (const service of SERVICES) {
        assert.equal((await ask(health, 'check', { service })).response?.status, status);
      }
      const { response } = await ask(health, 'list', {});
      assert.deepEqual(response?.statuses, Object.fromEntries(SERVICES.map((service) => [service, { status }])));
    }
  });

  it('of an unknown service: NOT_FOUND from Check, SERVICE_UNKNOWN from Watch', async () => {
    const { health } = await server.connectAs('nobody');
    assert.equal((await ask(health, 'check', { service: 'x' })).code, 'NOT_FOUND');
    const watch = health.watch({ service: 'x' });
    watch.on('error', () => undefined);
    const status = await new Promise((resolve) => watch.once('data', (message) => resolve(message.status)));
    assert.equal(status, ServingStatus.SERVICE_UNKNOWN);
    watch.cancel();
  });

  it('is refused to strangers', async () => {
    const { health } = await server.connectAs('stranger');
    assert.equal((await ask(health, 'check', { service: '' })).details.reason, 'CALLER_UNKNOWN');
    const watch = health.watch({ service: '' });
    const error = await new Promise<ServiceError>((resolve) => watch.once('error', resolve));
    assert.equal(readDetails(error.metadata).reason, 'CALLER_UNKNOWN');
  });

  it('Watch tells changes alone, skips what a slow reader missed, and stops when cancelled', async () => {
    const { health } = await server.connectAs('nobody');
    const told: ServingStatus[] = [];
    const watch = health.watch({ service: '' });
    watch.on('data', ({ status }) => told.push(status));
    watch.on('error', () => undefined);
    await until(() => told.length === 1);
    server.readiness.set('ready');
    server.readiness.set('store_unavailable');
    server.readiness.set('starting');
    await until(() => told.length === 2);
    server.readiness.set('ready');
    await until(() => told.length === 3);
    assert.deepEqual(told, [ServingStatus.SERVING, ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
    watch.cancel();
    await until(() => server.records().some(({ method, code }) => method === 'Health.Watch' && code === 'OK'));
  });
});
