// What peers can hold open by being slow: all of it at once, against a real daemon, until the daemon has ended each.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { BatchIntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { GOOD_TOKEN, startBystander } from './support/bystander.js';
import { toPeerAddress } from './support/daemon-address.js';
import { BATCH_INTROSPECT, type HostilePeer, INTROSPECT, openPeer, type PeerAddress } from './support/hostile-peer.js';

const IDLE_CONNECTIONS = 2000;
const PORTION = 100;
const STALLED_HANDSHAKES = 50;
const DRIPPING_REQUESTS = 100;
const STALLED_READERS = 30;
const DRIP_EVERY_MS = 500;
/** The daemon's own bounds are 10 s; what is late by more than this was not ended by them. */
const ENDED_WITHIN_MS = 20_000;

let daemon: TestDaemon;
let address: PeerAddress;
const peers: HostilePeer[] = [];

before(async () => {
  daemon = await startTestDaemon();
  const large = { scope: 'x'.repeat(3000) };
  await daemon.register([{ token: GOOD_TOKEN }, { token: 'large', claims: large }]);
  address = toPeerAddress(daemon, 'orders');
});
after(async () => {
  for (const peer of peers) peer.close();
  await daemon.stop();
});

async function newPeer(): Promise<HostilePeer> {
  const peer = await openPeer(address);
  peers.push(peer);
  return peer;
}

interface Closable {
  readonly closed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/** Resolves with how many are still open at the end of the bound. */
async function stillOpen(all: readonly Closable[]): Promise<number> {
  const closed = Promise.all(
    all.map((one) => one.closed || new Promise<void>((resolve) => void one.once('close', resolve))),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ENDED_WITHIN_MS);
  });
  await Promise.race([closed, late]);
  clearTimeout(timer);
  return all.filter((one) => !one.closed).length;
}

async function openSocket(): Promise<Socket> {
  const socket = connectTcp(address.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket.on('error', () => undefined).resume();
}

const ATTACKS: Readonly<Record<string, () => Promise<readonly Closable[]>>> = {
  // In portions below the backlog of a listening socket: what the kernel drops, the daemon can neither see nor end.
  'connections on which nothing is ever said': async () => {
    const sockets: Socket[] = [];
    while (sockets.length < IDLE_CONNECTIONS) {
      sockets.push(...(await Promise.all(Array.from({ length: PORTION }, () => openSocket()))));
    }
    return sockets;
  },

  // A TLS record is announced, and its last byte never comes.
  'handshakes that stall': async () => {
    const sockets = await Promise.all(Array.from({ length: STALLED_HANDSHAKES }, () => openSocket()));
    for (const socket of sockets) socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]));
    return sockets;
  },

  'requests that come byte by byte': async () => {
    const peer = await newPeer();
    const calls = Array.from({ length: DRIPPING_REQUESTS }, () => peer.call(INTROSPECT));
    const head = Buffer.from([0, 0, 0, 4, 0]);
    for (const call of calls) call.write(head);
    const timer = setInterval(() => {
      for (const call of calls) if (!call.closed) call.write('x');
    }, DRIP_EVERY_MS);
    after(() => clearInterval(timer));
    return calls.map((call) => call.resume());
  },

  'answers that nobody reads': async () => {
    const items = Array.from({ length: 1000 }, () => ({ token: 'large', tokenTypeHint: '' }));
    const batch = BatchIntrospectRequest.encode({ items, audiences: [], includeTags: false }).finish();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(batch.length, 1);
    const peer = await newPeer();
    return Array.from({ length: STALLED_READERS }, () => peer.call(BATCH_INTROSPECT).end(Buffer.concat([head, batch])));
  },
};

test('slow peers: the daemon ends each, and others are served meanwhile', async (t) => {
  const bystander = await startBystander(daemon);
  const attacks = await Promise.all(
    Object.entries(ATTACKS).map(async ([name, attack]) => ({ name, open: await attack() })),
  );
  await Promise.all(attacks.map(({ name, open }) => t.test(name, async () => assert.equal(await stillOpen(open), 0))));
  await t.test('the others', () => bystander.stopUnharmed({ growthBytes: 400 * 1024 * 1024 }));
});
