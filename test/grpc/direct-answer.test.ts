// Answers past grpc-js, held against its own on the same server: bytes on the wire, and what a client of grpc-js reads.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Metadata, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { answerDirectly } from '../../src/grpc/direct-answer.js';
import { createTrailer } from '../../src/grpc/status.js';
import { findHttp2Stream } from '../../src/grpc/stream-call.js';
import { bytesMethod, EMPTY_MESSAGE, startBytesServer } from '../support/bytes-server.js';

type Call = ServerUnaryCall<Buffer, Buffer>;

/** Larger than what HTTP/2 takes without being asked for more. */
const LARGE = Buffer.alloc(300_000, 'large');
const CASES: readonly [name: string, message: Buffer, requestId: string | undefined][] = [
  ['a message', Buffer.from('active'), undefined],
  ['a request id', Buffer.from('active'), 'req-7'],
  ['an empty message', Buffer.alloc(0), undefined],
  ['a large message', LARGE, 'req-8'],
];
const TIMEOUT = { timeout: 20_000 };
const LEFT_OUT = ['date', 'grpc-encoding', 'grpc-message'];

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
  readonly resetCode: number | undefined;
}

let next: (typeof CASES)[number];
/** What answerDirectly() said. */
let answered: boolean[];
let served: Call | undefined;
let meanwhile: (call: Call) => Promise<void>;

const direct = async (call: Call) => {
  const [, message, requestId] = next;
  served = call;
  await meanwhile(call);
  for (let times = 0; times < 2; times++) answered.push(answerDirectly(call, message, requestId));
};
const usual = (_call: Call, reply: sendUnaryData<Buffer>) => {
  const [, message, requestId] = next;
  reply(null, message, requestId === undefined ? undefined : createTrailer(requestId));
};

const ask = async (path: string, headers: Readonly<Record<string, string>> = {}, pauseMs = 0): Promise<Answer> => {
  const common = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request({ ...common, ...headers }).on('error', () => undefined);
  const chunks: Buffer[] = [];
  let response: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (all) => {
    response = all;
  });
  stream.on('trailers', (all) => {
    trailers = all;
  });
  const closed = once(stream, 'close');
  stream.end(EMPTY_MESSAGE);
  await sleep(pauseMs);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await closed;
  return { headers: response, body: Buffer.concat(chunks), trailers, resetCode: stream.rstCode };
};

const methods = { direct: bytesMethod('/test.Test/Direct'), usual: bytesMethod('/test.Test/Usual') };
const { port } = await startBytesServer(methods, { direct, usual }, { 'grpc.enable_channelz': 0 });
const session = connect(`http://127.0.0.1:${port}`);
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
after(() => {
  session.destroy();
  client.close();
});

const reset = (row: (typeof CASES)[number]) => {
  next = row;
  answered = [];
  meanwhile = async () => undefined;
};

for (const row of CASES) {
  test(
    `an answer past grpc-js is that of grpc-js on the wire but for headers that say nothing: ${row[0]}`,
    TIMEOUT,
    async () => {
      reset(row);
      const [own, theirs] = [await ask('/test.Test/Direct'), await ask('/test.Test/Usual')];
      assert.deepEqual(answered, [true, false]);
      assert.deepEqual(own.body, theirs.body);
      for (const part of ['headers', 'trailers'] as const) {
        const expected = Object.entries(theirs[part]).filter(([name]) => !LEFT_OUT.includes(name));
        assert.deepEqual(Object.fromEntries(Object.entries(own[part])), Object.fromEntries(expected), part);
      }
      assert.equal(own.trailers['grpc-status'], '0');
    },
  );

  test(`an answer past grpc-js is that of grpc-js to its client: ${row[0]}`, TIMEOUT, async () => {
    reset(row);
    const [own, theirs] = [await read('/test.Test/Direct'), await read('/test.Test/Usual')];
    assert.deepEqual(own, theirs);
    assert.deepEqual(own.message, row[1]);
    assert.deepEqual(own.code, 0);
  });
}

test('it has one end, also where the deadline passes while it waits to be read', TIMEOUT, async () => {
  reset(['', LARGE, undefined]);
  const reading = ask('/test.Test/Direct', { 'grpc-timeout': '50m' }, 200);
  await sleep(150);
  assert.equal(served && findHttp2Stream(served)?.listenerCount('wantTrailers'), 1);
  const { body, trailers, resetCode } = await reading;
  assert.deepEqual(answered, [true, false]);
  assert.equal(body.length, EMPTY_MESSAGE.length + LARGE.length);
  assert.equal(trailers['grpc-status'], '0');
  assert.equal(resetCode, constants.NGHTTP2_NO_ERROR);
});

test('it is not given to a call that was answered, or whose client is gone', TIMEOUT, async () => {
  reset(CASES[0] as (typeof CASES)[number]);
  meanwhile = () => sleep(100);
  const late = await ask('/test.Test/Direct', { 'grpc-timeout': '20m' });
  assert.equal(late.headers['grpc-status'], '4');
  assert.deepEqual(answered, []);
  await sleep(150);
  assert.deepEqual(answered, [false, false]);

  reset(CASES[0] as (typeof CASES)[number]);
  meanwhile = async (call) => {
    await once(call, 'cancelled');
  };
  const gone = client.makeUnaryRequest(
    '/test.Test/Direct',
    (bytes: Buffer) => bytes,
    (bytes) => bytes,
    Buffer.alloc(0),
    () => undefined,
  );
  await sleep(50);
  gone.cancel();
  await sleep(50);
  assert.deepEqual(answered, [false, false]);
});

test('it is left to grpc-js where that looks otherwise inside', TIMEOUT, () => {
  const stream = { destroyed: false, closed: false };
  const good = { stream, metadataSent: false, wantTrailers: false, callEventTracker: null };
  const others = [
    {},
    { call: {} },
    { call: { ...good, stream: undefined } },
    { call: { ...good, metadataSent: undefined } },
    { call: { ...good, wantTrailers: undefined } },
    // It counts messages, and one that passes it by would not be counted.
    { call: { ...good, callEventTracker: {} } },
  ];
  for (const call of others) assert.equal(answerDirectly(call, Buffer.alloc(0), undefined), false);
});

function read(path: string) {
  return new Promise<{ message?: Buffer | undefined; code: number; metadata: unknown }>((resolve, reject) => {
    let message: Buffer | undefined;
    client
      .makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.alloc(0),
        new Metadata(),
        (error, bytes) => {
          if (error !== null) reject(error);
          message = bytes;
        },
      )
      .on('status', ({ code, metadata }) => resolve({ message, code, metadata: metadata.getMap() }));
  });
}
