// The guard with bounds short enough for a test, on a plain server of grpc-js.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { after, test } from 'node:test';
import { Server } from '@grpc/grpc-js';
import { guardConnections } from '../../src/grpc/connection-guard.js';
import { answerDirectly } from '../../src/grpc/direct-answer.js';
import { adoptOpenStreams, followOpenStreams, watchOpenStreams } from '../../src/grpc/open-streams.js';
import { bytesMethod, EMPTY_MESSAGE, startBytesServer } from '../support/bytes-server.js';
import { eventually } from '../support/eventually.js';

const ANSWER_BYTES = 1024 * 1024;
const TIMEOUT = { timeout: 10_000 };
const LIMITS = { connections: 4, requestMs: 200, answerMs: 200 };

async function start(watchStreams = watchOpenStreams): Promise<number> {
  const { server, port } = await startBytesServer(
    {
      ask: bytesMethod('/test.Test/Ask'),
      askUsually: bytesMethod('/test.Test/AskUsually'),
      talk: bytesMethod('/test.Test/Talk', true),
    },
    {
      ask: (call: object) => answerDirectly(call, Buffer.alloc(ANSWER_BYTES), undefined),
      askUsually: (_call: unknown, reply: (error: null, answer: Buffer) => void) =>
        reply(null, Buffer.alloc(ANSWER_BYTES)),
      talk: () => undefined,
    },
    { 'grpc.enable_channelz': 0 },
  );
  guardConnections(server, LIMITS, watchStreams);
  return port;
}

function open(port: number): ClientHttp2Session {
  const socket = connectTcp(port, '127.0.0.1');
  // Not session.destroy(): of a client with one stream reset and another open it does not return (Node 20.20.2).
  after(() => socket.destroy());
  return connect('http://localhost', { createConnection: () => socket }).on('error', () => undefined);
}

function ask(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  return session.request(headers, { endStream: false }).on('error', () => undefined);
}

/** With the code of its reset. */
const closed = async (stream: ClientHttp2Stream) => {
  if (!stream.closed) {
    await new Promise<void>((resolve) => {
      stream.once('close', resolve);
    });
  }
  return stream.rstCode;
};

for (const [how, watchStreams] of [
  ['in a table of ours', watchOpenStreams],
  ['followed', followOpenStreams],
] as const) {
  test(`a request that does not end is reset, and the connection goes on: streams ${how}`, TIMEOUT, async () => {
    const session = open(await start(watchStreams));
    const slow = ask(session, '/test.Test/Ask');
    slow.write(EMPTY_MESSAGE.subarray(0, 3));
    assert.equal(await closed(slow), 11);
    const good = ask(session, '/test.Test/Ask').end(EMPTY_MESSAGE).resume();
    assert.equal(await closed(good), 0);
  });
}

test('this version of Node keeps the open streams of a session where we look for them', TIMEOUT, async () => {
  let isAdopted: boolean | undefined;
  const port = await start((session) => {
    const streams = adoptOpenStreams(session);
    isAdopted = streams !== undefined;
    return streams ?? followOpenStreams(session);
  });
  await once(open(port), 'connect');
  await eventually(() => isAdopted !== undefined);
  assert.equal(isAdopted, true);
});

for (const [how, path] of [
  ['past grpc-js', '/test.Test/Ask'],
  ['by grpc-js', '/test.Test/AskUsually'],
] as const) {
  test(`an answer that is not read is reset: ${how}`, TIMEOUT, async () => {
    const stream = ask(open(await start()), path).end(EMPTY_MESSAGE);
    await once(stream, 'response');
    assert.equal(await closed(stream), 11);
  });
}

test('a stream of requests may stay open', TIMEOUT, async () => {
  const session = open(await start());
  const talk = ask(session, '/test.Test/Talk');
  const slow = ask(session, '/test.Test/Ask');
  assert.equal(await closed(slow), 11);
  assert.equal(talk.closed, false);
});

test('connections above the cap are closed as they come', TIMEOUT, async () => {
  const port = await start();
  const sockets = Array.from({ length: LIMITS.connections + 3 }, () => connectTcp(port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => undefined).resume();
  after(() => sockets.map((socket) => socket.destroy()));
  let gone = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.once('close', () => {
        gone += 1;
        if (gone === 3) resolve();
      });
    }
  });
  assert.equal(sockets.filter(({ destroyed }) => !destroyed).length, LIMITS.connections);
});

test('a server that does not listen is refused, so that a moved private field is no silent loss', () => {
  assert.throws(() => guardConnections(new Server(), LIMITS), /keeps its listening servers elsewhere/);
});
