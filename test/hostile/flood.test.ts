// What a caller with a good certificate can do in a hurry, to a real daemon.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { IntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { type Bystander, GOOD_TOKEN, startBystander } from './support/bystander.js';
import { toPeerAddress } from './support/daemon-address.js';
import { INTROSPECT, openPeer, openTls, outcomeOf, type PeerAddress, toFrame } from './support/hostile-peer.js';

const MIB = 1024 * 1024;
const TIMEOUT = { timeout: 30_000 };
const RESETS = 5000;
const RESETS_PER_CONNECTION = 1250;

let daemon: TestDaemon;
let address: PeerAddress;
let bystander: Bystander;

before(async () => {
  daemon = await startTestDaemon();
  await daemon.register([{ token: GOOD_TOKEN }]);
  address = toPeerAddress(daemon, 'orders');
});
after(() => daemon.stop());
beforeEach(async () => {
  bystander = await startBystander(daemon);
});

const question: IntrospectRequest = { token: GOOD_TOKEN, tokenTypeHint: '', audiences: [], includeTags: false };
const request = IntrospectRequest.encode(question).finish();

test('5,000 rapid resets', TIMEOUT, async () => {
  for (let sent = 0; sent < RESETS; ) {
    const peer = await openPeer(address);
    for (let here = 0; here < RESETS_PER_CONNECTION && !peer.session.closed && !peer.session.destroyed; here += 1) {
      const stream = peer.call(INTROSPECT);
      stream.end(toFrame(request));
      // Every other one is reset when its request is on its way already.
      if (sent % 2 === 0) await nextTick();
      stream.close(constants.NGHTTP2_CANCEL);
      sent += 1;
    }
    peer.close();
  }
  await bystander.stopUnharmed({ growthBytes: 200 * MIB });
});

// Made once, and before: the bystander is in this process.
const [bombOver, bombWithin] = [64 * MIB, 3 * MIB].map((bytes) =>
  toFrame(gzipSync(Buffer.alloc(bytes)), { isCompressed: true }),
);

test('gzip bombs, over the limit and within it', TIMEOUT, async () => {
  const peer = await openPeer(address);
  const explode = async (bomb: Buffer | undefined) => {
    const calls = Array.from({ length: 20 }, () => peer.call(INTROSPECT, { 'grpc-encoding': 'gzip' }).end(bomb));
    return [...new Set(await Promise.all(calls.map(outcomeOf)))];
  };
  assert.deepEqual(await explode(bombOver), ['status 8']);
  assert.deepEqual(await explode(bombWithin), ['status 3']);
  peer.close();
  await bystander.stopUnharmed({ growthBytes: 400 * MIB });
});

const OVERSIZED: readonly (readonly [string, Readonly<Record<string, string>>, Buffer, RegExp])[] = [
  ['a message longer than the limit', {}, toFrame(Buffer.alloc(6 * MIB)), /^status 8$/],
  ['a length of 4 GiB', {}, toFrame(request, { length: 0xffff_ffff }), /^status 8$/],
  ['metadata of 100 KiB', { 'x-long': 'x'.repeat(100 * 1024) }, toFrame(request), /^reset [^0]/],
  [
    'two hundred header fields',
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, 'x'])),
    toFrame(request),
    /^reset [^0]/,
  ],
];

for (const [name, headers, body, expected] of OVERSIZED) {
  test(`oversized: ${name}`, TIMEOUT, async () => {
    for (let round = 0; round < 5; round += 1) {
      const peer = await openPeer(address);
      assert.match(await outcomeOf(peer.call(INTROSPECT, headers).end(body)), expected);
      peer.close();
    }
    await bystander.stopUnharmed({ growthBytes: 200 * MIB });
  });
}

async function isClosed(socket: Socket): Promise<true> {
  socket.on('error', () => undefined).resume();
  // Not events.once(), which rejects when it is closed by a reset.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return true;
}

test('garbage, before TLS and after it', TIMEOUT, async () => {
  const garbage = [randomBytes(64 * 1024), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(64 * 1024)];
  for (const bytes of garbage) {
    const plain = connectTcp(address.port, '127.0.0.1');
    plain.write(bytes);
    assert.ok(await isClosed(plain));
    const tls = await openTls(address);
    tls.write(bytes);
    assert.ok(await isClosed(tls));
  }
  await bystander.stopUnharmed({ growthBytes: 200 * MIB });
});
