// What streams of chunks may take of a daemon, and how they end when somebody does not behave.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@grpc/grpc-js';
import { StreamIntrospectRequest } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { toPeerAddress } from '../hostile/support/daemon-address.js';
import { openPeer, toFrame } from '../hostile/support/hostile-peer.js';
import { toChunk } from '../support/chunk-stream.js';
import { createTestCredentials } from '../support/test-credentials.js';
import { ENGINES, range, type StreamStage, toOutcome } from './stage.js';

const METHOD = '/introspectd.v1.IntrospectionService/StreamIntrospect';
const MANY = range(1000).map(() => 'large');
const STALLED = 10;
/** As a request 2 MB, as an answer half a one: grpc-js alone would keep sixteen of each for each stream. */
const HEAVY = range(1000).map((index) => (index % 2 === 0 ? 'large' : 'x'.repeat(4000)));
const MAX_GROWTH_KIB = 200 * 1024;
const BOUND_MS = 20_000;

describe('streams of chunks', () => {
  let stage: StreamStage;
  before(async () => {
    const [lmdb] = ENGINES;
    stage = (await lmdb?.start()) ?? assert.fail();
    await stage.daemon.register([{ token: 'good' }, { token: 'large', claims: { scope: 'x'.repeat(1000) } }]);
  });
  after(() => stage.close());

  it('a client that never reads is not read from: memory stays', {
    skip: process.platform !== 'linux' && 'reads /proc',
  }, async (t) => {
    const { daemon } = stage;
    const { pid } = daemon.process;
    // The first answers grow what every daemon needs to answer.
    const warm = stage.introspect();
    for (const id of range(5)) warm.send(toChunk(id, HEAVY));
    for (const _ of range(5)) assert.equal((await warm.next()).outcome?.$case, 'batch');
    warm.close();
    const beforeKib = readAnonymousKib(pid);
    const peers = await Promise.all(range(STALLED).map(() => openPeer(toPeerAddress(daemon, 'job'))));
    const frame = toFrame(StreamIntrospectRequest.encode(toChunk(1, HEAVY)).finish());
    for (const peer of peers) {
      const stream = peer.call(METHOD);
      // One at a time: node:http2 resets a stream of its own that holds more than 10 MB.
      const write = () => void stream.write(frame, () => stream.destroyed || write());
      write();
    }
    // Until nothing moves any more: as many chunks were answered as streams that stall can take.
    let peakKib = beforeKib;
    let answered = 0;
    const endMs = performance.now() + BOUND_MS;
    for (let still = 0; still < 10 || answered < 5 + 2 * STALLED; ) {
      assert.ok(performance.now() < endMs, `${answered} chunks were answered in time`);
      await sleep(50);
      const now = await readAnswered(stage);
      peakKib = Math.max(peakKib, readAnonymousKib(pid));
      still = now === answered ? still + 1 : 0;
      answered = now;
    }
    t.diagnostic(`anonymous memory grew by ${peakKib - beforeKib} KiB, ${answered} chunks were answered`);
    assert.equal(answered, 5 + 2 * STALLED, 'of each stream one is on its way and one waits');
    assert.ok(peakKib - beforeKib < MAX_GROWTH_KIB, `grew by ${peakKib - beforeKib} KiB`);
    assert.equal((await daemon.client('orders').introspect('good')).active, true);
    for (const peer of peers) peer.close();
    await untilPool(stage, 'streams', 0);
  });

  it('a caller has sixteen of them', async () => {
    const streams = range(16).map(() => stage.introspect());
    for (const stream of streams) stream.send(toChunk(1, ['good']));
    for (const stream of streams) assert.deepEqual(toOutcome(await stream.next()), [true]);
    assert.equal((await stage.introspect().ended).reason, 'OVERLOADED');
    const [first] = streams;
    first?.halfClose();
    await first?.ended;
    await untilPool(stage, 'streams', 15);
    const another = stage.introspect();
    another.send(toChunk(1, ['good']));
    assert.deepEqual(toOutcome(await another.next()), [true]);
    for (const stream of [...streams, another]) stream.close();
    await untilPool(stage, 'streams', 0);
  });

  it('one that is cancelled in mid-chunk leaves nothing behind', async () => {
    for (const _ of range(20)) {
      const stream = stage.introspect();
      for (const id of range(10)) stream.send(toChunk(id, MANY));
      await stream.next();
      stream.cancel();
      assert.equal((await stream.ended).code, 'CANCELLED');
    }
    await untilPool(stage, 'streams', 0);
    const stream = stage.introspect();
    stream.send(toChunk(1, ['good']));
    assert.deepEqual(toOutcome(await stream.next()), [true]);
    stream.close();
  });

  it('bytes that are no message end it; those of a chunk that are none fail the chunk', async () => {
    const stream = openRaw(stage);
    const answers: Buffer[] = [];
    stream.call.on('data', (bytes: Buffer) => answers.push(bytes));
    // chunk_id 5, and a batch whose token is no UTF-8; then one whose batch is cut off.
    stream.call.write(Buffer.from([0x08, 5, 0x12, 5, 0x0a, 3, 0x0a, 1, 0xff]));
    stream.call.write(Buffer.from([0x08, 6, 0x12, 2, 0x0a, 9]));
    stream.call.write(Buffer.from([0x12, 0x7f]));
    const { code } = await stream.ended;
    assert.equal(code, 3);
    assert.deepEqual(
      answers.map((bytes) => [...bytes.subarray(0, 3)]),
      [5, 6].map((id) => [0x08, id, 0x1a]),
    );
  });

  it('ends with its connection, everything answered that it took', async () => {
    const [lmdb] = ENGINES;
    const aging = (await lmdb?.start({ limits: { connection_age: '2s' } })) ?? assert.fail();
    try {
      const stream = aging.introspect();
      const endMs = performance.now() + BOUND_MS;
      let sent = 0;
      let isOver = false;
      const ended = stream.ended.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        assert.ok(performance.now() < endMs, 'in time');
        if (sent - stream.messages.length < 3) stream.send(toChunk(sent++, ['good', 'bad']));
        else await sleep(1);
      }
      assert.deepEqual(await ended, { code: 'UNAVAILABLE', reason: 'DRAINING', fields: [] });
      const answered = stream.messages.map(({ chunkId }) => chunkId);
      assert.deepEqual(answered, range(answered.length));
      assert.ok(answered.length > 100 && sent - answered.length <= 3, `${answered.length} of ${sent}`);
    } finally {
      await aging.close();
    }
  });
});

function openRaw({ daemon }: StreamStage) {
  const client = new Client(daemon.process.target, createTestCredentials(daemon.workspace.tls('job')), {
    'grpc.use_local_subchannel_pool': 1,
  });
  const asIs = (bytes: Buffer) => bytes;
  const call = client.makeBidiStreamRequest(METHOD, asIs, asIs);
  const ended = new Promise<{ code: number | undefined }>((resolve) => {
    call.on('error', ({ code }: Error & { code?: number }) => resolve({ code }));
  });
  return {
    call,
    ended,
    close: () => {
      call.cancel();
      client.close();
    },
  };
}

async function readMetrics({ daemon }: StreamStage): Promise<string> {
  return (await fetch(`http://${daemon.process.opsTarget}/metrics`)).text();
}

async function readAnswered(stage: StreamStage): Promise<number> {
  const found = /^introspectd_chunks_total\{.*StreamIntrospect.*reason="OK".*\} (\d+)$/m.exec(await readMetrics(stage));
  return Number(found?.[1] ?? assert.fail('no chunk was counted'));
}

async function untilPool(stage: StreamStage, pool: string, size: number): Promise<void> {
  const endMs = performance.now() + BOUND_MS;
  const pattern = new RegExp(`^introspectd_calls_in_flight\\{.*pool="${pool}".*\\} ${size}$`, 'm');
  while (!pattern.test(await readMetrics(stage))) {
    assert.ok(performance.now() < endMs, `${size} in ${pool}`);
    await sleep(20);
  }
}

function readAnonymousKib(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
