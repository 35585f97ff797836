// The end of a connection at its age, asked by a client that retries nothing, over a wire that takes its time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionAge } from '../../src/grpc/connection-age.js';
import { guardConnections } from '../../src/grpc/connection-guard.js';
import { bytesMethod, EMPTY_MESSAGE, startBytesServer } from '../support/bytes-server.js';

const WIRE_DELAY_MS = 10;

async function startServer(age: ConnectionAge): Promise<number> {
  const { server, port } = await startBytesServer(
    { ask: bytesMethod('/test.Test/Ask'), wait: bytesMethod('/test.Test/Wait') },
    {
      ask: (_call: unknown, reply: (error: null, answer: Buffer) => void) => reply(null, Buffer.alloc(0)),
      wait: () => undefined,
    },
  );
  guardConnections(server, age);
  return port;
}

/** What the server says arrives later; what it is told, at once. */
async function startSlowWire(port: number): Promise<number> {
  const sockets: Socket[] = [];
  const wire = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(near, far);
    const late = (act: () => void) => setTimeout(act, WIRE_DELAY_MS);
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy());
    far.on('data', (data) => late(() => near.write(data))).on('end', () => late(() => near.end()));
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
  after(() => {
    for (const socket of sockets) socket.destroy();
    wire.close();
  });
  return (wire.address() as AddressInfo).port;
}

function open(port: number): ClientHttp2Session {
  return connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
}

function ask(session: ClientHttp2Session, path = '/test.Test/Ask'): Promise<number | undefined> {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers).on('error', () => undefined);
  stream.resume().end(EMPTY_MESSAGE);
  return new Promise((resolve) => {
    stream.once('close', () => resolve(stream.rstCode));
  });
}

test('who asks one by one is never refused', { timeout: 20_000 }, async () => {
  const port = await startSlowWire(await startServer({ ageMs: 1000, graceMs: 1000 }));
  const codes: (number | undefined)[] = [];
  let connections = 0;
  while (connections < 4) {
    const session = open(port);
    connections += 1;
    await once(session, 'connect');
    while (!session.closed) codes.push(await ask(session));
  }
  assert.ok(codes.length > 10 * connections, `${codes.length} calls`);
  assert.deepEqual(new Set(codes), new Set([constants.NGHTTP2_NO_ERROR]));
});

test('of calls that are asked at once, what is not answered is refused, which is safe to ask again', {
  timeout: 20_000,
}, async () => {
  const session = open(await startSlowWire(await startServer({ ageMs: 200, graceMs: 1000 })));
  await once(session, 'connect');
  const codes: Promise<number | undefined>[] = [];
  while (!session.closed) {
    codes.push(ask(session));
    await sleep(2);
  }
  const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;
  assert.deepEqual(new Set(await Promise.all(codes)), new Set([NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM]));
});

test('a call that does not end has the time of grace, and holds nothing for longer', { timeout: 20_000 }, async () => {
  const session = open(await startServer({ ageMs: 100, graceMs: 400 }));
  const startMs = performance.now();
  await Promise.all([once(session, 'close'), ask(session, '/test.Test/Wait')]);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 450, `closed after ${tookMs} ms`);
});

test('an age beyond what timers know is no age of nothing', { timeout: 20_000 }, async () => {
  const session = open(await startServer({ ageMs: 2 ** 32, graceMs: 100 }));
  after(() => session.destroy());
  await once(session, 'connect');
  for (let calls = 0; calls < 20; calls++) {
    assert.equal(await ask(session), constants.NGHTTP2_NO_ERROR);
    await sleep(5);
  }
  assert.ok(!session.closed);
});

test('a connection that nobody uses is closed', { timeout: 20_000 }, async () => {
  const socket = connect(await startServer({ ageMs: 100, graceMs: 100 }), '127.0.0.1');
  after(() => socket.destroy());
  // The preface and empty SETTINGS: from now on it is a session.
  socket.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\0\0\0\x04\0\0\0\0\0'}`);
  socket.resume();
  await once(socket, 'end');
});
