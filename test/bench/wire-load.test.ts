// Our own generator against real servers: what it takes for an answer, and from when it counts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { bindServer } from '../../bench/bind-server.js';
import { introspectCall } from '../../bench/corpus.js';
import { driveClosed, driveOpen } from '../../bench/load/drive.js';
import { createHttp1Connection, findAnswerLength } from '../../bench/load/http1-connection.js';
import { createHttp2Connection } from '../../bench/load/http2-connection.js';
import { ACTIVE, ANY } from '../../bench/load/wire-call.js';
import { IntrospectRequest, IntrospectResponse } from '../../src/gen/introspectd/v1/introspection_service.js';

type Answer = (request: Buffer, callback: sendUnaryData<Buffer>) => void;

const PATH = '/test.Service/Ask';
const WINDOW_MS = 150;
const active = answer(true);
const inactive = answer(false);

function answer(isActive: boolean): Buffer {
  const nothing = IntrospectResponse.decode(Buffer.alloc(0));
  return Buffer.from(IntrospectResponse.encode({ ...nothing, active: isActive, cacheMs: 1000n }).finish());
}

async function withGrpc<Result>(
  reply: Answer,
  use: (port: number, server: Server) => Promise<Result>,
): Promise<Result> {
  const server = new Server();
  const asIs = (bytes: Buffer) => bytes;
  const handle = ({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
    reply(request, callback);
  server.register(PATH, handle, asIs, asIs, 'unary');
  const port = await bindServer(server, ServerCredentials.createInsecure());
  try {
    return await use(port, server);
  } finally {
    server.forceShutdown();
  }
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  return socket;
}

async function openHttp2(port: number, slots: number, prefix: readonly number[] = ACTIVE) {
  const head = { scheme: 'http', authority: `localhost:${port}`, path: PATH } as const;
  const request = { ...introspectCall(), head, answerPrefix: Uint8Array.from(prefix) };
  return createHttp2Connection(await openSocket(port), request, slots);
}

test('calls are answered, each about another token', async () => {
  const asked = new Set<string>();
  const outcome = await withGrpc(
    (request, callback) => {
      asked.add(IntrospectRequest.decode(request).token);
      callback(null, active);
    },
    async (port) => {
      const connection = await openHttp2(port, 4);
      const driven = await driveClosed([connection], WINDOW_MS);
      connection.close();
      return driven;
    },
  );
  assert.equal(outcome.failed, 0);
  assert.ok(outcome.succeeded > 10, `${outcome.succeeded}`);
  // The first request of a connection begins the numbers, and so does the second.
  assert.equal(asked.size, outcome.succeeded - 1);
});

const REPLIES: readonly {
  readonly what: string;
  readonly reply: Answer;
  readonly prefix: readonly number[];
  readonly isOk: boolean;
}[] = [
  {
    what: 'an inactive token where all are active',
    reply: (_, done) => done(null, inactive),
    prefix: ACTIVE,
    isOk: false,
  },
  { what: 'an inactive token where any will do', reply: (_, done) => done(null, inactive), prefix: ANY, isOk: true },
  { what: 'an error', reply: (_, done) => done({ code: status.UNAVAILABLE, details: 'no' }), prefix: ANY, isOk: false },
  {
    what: 'a longer answer',
    reply: (_, done) => done(null, Buffer.concat([active, Buffer.alloc(40_000)])),
    prefix: ACTIVE,
    isOk: true,
  },
];

for (const { what, reply, prefix, isOk } of REPLIES) {
  test(`${what} is ${isOk ? 'an answer' : 'a failure'}`, async () => {
    const { succeeded, failed } = await withGrpc(reply, async (port) => {
      const connection = await openHttp2(port, 2, prefix);
      const driven = await driveClosed([connection], WINDOW_MS);
      connection.close();
      return driven;
    });
    assert.ok(
      isOk ? succeeded > 0 && failed === 0 : failed > 0 && succeeded === 0,
      `${succeeded} OK, ${failed} failed`,
    );
  });
}

test('a server that goes away ends the load, and calls under way have failed', async () => {
  const outcome = await withGrpc(
    () => undefined,
    async (port, server) => {
      const connection = await openHttp2(port, 3);
      const driven = driveClosed([connection], 60_000);
      server.forceShutdown();
      return driven;
    },
  );
  assert.equal(outcome.succeeded, 0);
  assert.equal(outcome.failed, 3);
});

test('an open loop counts from when a call was due: a stall is charged to all who waited', async () => {
  const stallMs = 200;
  let isFirst = true;
  const outcome = await withGrpc(
    (_request, callback) => {
      if (!isFirst) return callback(null, active);
      isFirst = false;
      setTimeout(() => callback(null, active), stallMs);
    },
    async (port) => {
      // One call at a time: those that are due meanwhile cannot even be sent.
      const connection = await openHttp2(port, 1);
      const driven = await driveOpen([connection], { perSecond: 200, windowMs: 300, pace: 'spin' });
      connection.close();
      return driven;
    },
  );
  assert.equal(outcome.succeeded, 60);
  assert.equal(outcome.failed, 0);
  assert.ok(outcome.latency.p50Ms > stallMs / 10, `${outcome.latency.p50Ms}`);
});

test('what is answered after the window and a moment was not in time', async () => {
  const outcome = await withGrpc(
    (_request, callback) => void setTimeout(() => callback(null, active), 150),
    async (port) => {
      const connection = await openHttp2(port, 10);
      const driven = await driveOpen([connection], { perSecond: 100, windowMs: 100, pace: 'sleep' });
      connection.close();
      return driven;
    },
  );
  assert.equal(outcome.succeeded, 10);
  assert.ok(outcome.inTime < 10, `${outcome.inTime}`);
});

const ANSWERS: readonly { readonly what: string; readonly handle: RequestListener; readonly isOk: boolean }[] = [
  { what: 'an active token', handle: (_, response) => send(response, 200, { active: true }), isOk: true },
  { what: 'an inactive token', handle: (_, response) => send(response, 200, { active: false }), isOk: false },
  {
    what: 'an answer in chunks, which this does not read,',
    handle: (_, response) => {
      response.write('{"active":true}');
      response.end();
    },
    isOk: false,
  },
  { what: 'an error that says active', handle: (_, response) => send(response, 500, { active: true }), isOk: false },
];

function send(response: Parameters<RequestListener>[1], code: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
}

for (const { what, handle, isOk } of ANSWERS) {
  test(`over HTTP/1.1, ${what} is ${isOk ? 'an answer' : 'a failure'}`, async () => {
    const server = createServer(handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const frame = Buffer.from('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n0000000000');
    const numbering = { slotsPerNumber: 1, first: 0, stride: 1, size: 10 };
    const connection = createHttp1Connection(await openSocket(port), { frame, numbering, answerText: '"active":true' });
    const { succeeded, failed } = await driveClosed([connection], WINDOW_MS);
    connection.close();
    server.close();
    assert.ok(
      isOk ? succeeded > 0 && failed === 0 : failed > 0 && succeeded === 0,
      `${succeeded} OK, ${failed} failed`,
    );
  });
}

test('an answer is as long as its head says', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
  assert.equal(findAnswerLength(head.slice(0, 20)), undefined);
  assert.equal(findAnswerLength(head), head.length + 5);
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  assert.equal(findAnswerLength(`${chunked}2\r\n{}`), chunked.length);
});
