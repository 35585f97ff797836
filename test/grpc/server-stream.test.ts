import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { createPolicy } from '../../src/core/policy.js';
import { HealthCheckRequest, HealthClient, HealthService } from '../../src/gen/grpc/health/v1/health.js';
import { createInFlight } from '../../src/grpc/in-flight.js';
import { createServerStreamAdapter } from '../../src/grpc/server-stream.js';
import { toBytesService } from '../../src/grpc/service-definition.js';
import { until } from './until.js';

const MESSAGES = 20_000;
/** A HealthCheckResponse with a kilobyte of an unknown field. */
const MESSAGE = Buffer.concat([Buffer.from([0x08, 1, 0x7a, 0x80, 0x08]), Buffer.alloc(1024)]);

const CALLER = createPolicy([
  {
    name: 'c',
    identities: ['dns:c'],
    permissions: [],
    revoke: [],
    issuers: [],
    audiences: [],
    tokenUse: undefined,
    claims: undefined,
  },
]).getCaller(['dns:c']);

let produced = 0;
let isEnded = false;
const server = new Server();
let client: HealthClient;

before(async () => {
  const adapt = createServerStreamAdapter({
    // Who asks is another test's business.
    findCaller: () => CALLER,
    inFlight: createInFlight(10),
    callLog: { writesSuccesses: () => false, write: () => undefined },
    observer: { observe: () => undefined, observeChunk: () => undefined },
  });
  const watch = adapt({
    name: 'Watch',
    authorize: () => undefined,
    decode: (bytes) => HealthCheckRequest.decode(bytes),
    handle: async function* () {
      try {
        for (; produced < MESSAGES; produced++) yield MESSAGE;
      } finally {
        isEnded = true;
      }
    },
  });
  server.addService(toBytesService(HealthService), { watch });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
});
after(() => {
  client.close();
  server.forceShutdown();
});

describe('a stream to a client that does not read', () => {
  it('asks its handler for no more, and ends it when the client goes away', async () => {
    const call = client.watch({ service: '' });
    call.on('error', () => undefined);
    // grpc-js begins to hold back with the first read.
    call.once('data', () => call.pause());
    let seen = -1;
    let quietTurns = 0;
    await until(() => {
      quietTurns = produced === seen ? quietTurns + 1 : 0;
      seen = produced;
      return produced > 0 && quietTurns > 200;
    });
    // What fits the windows of HTTP/2 and the buffers of both ends.
    assert.ok(produced < 1000, `${produced} messages were made`);
    assert.equal(isEnded, false);
    call.cancel();
    await until(() => isEnded);
  });

  it('goes on when the client reads', async () => {
    produced = MESSAGES - 500;
    const call = client.watch({ service: '' });
    let read = 0;
    call.on('data', () => read++);
    await new Promise((resolve) => call.once('end', resolve));
    assert.equal(read, 500);
  });
});
