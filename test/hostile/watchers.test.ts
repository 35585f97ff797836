// What watchers can hold open by not reading, or by saying nothing: until the daemon has ended each, while a good one is
// told everything.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ClientHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseKeyRing } from '../../src/core/key-ring.js';
import { WatchRevocationsRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { ISSUER } from '../cases/introspect-cases.js';
import { makeOptions } from '../store/harness.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { openWatch } from '../support/watch-stream.js';
import { toPeerAddress } from './support/daemon-address.js';
import { type HostilePeer, openPeer, outcomeOf, toFrame } from './support/hostile-peer.js';

const WATCH = '/introspectd.v1.IntrospectionService/WatchRevocations';
const PEERS = 5;
const QUEUE = 1000;
const BURST = 500;
/** More than the windows of HTTP/2, the buffers on the way, and two queues. */
const BURSTS = 32;
/** The daemon's own bounds are 10 s. */
const ENDED_WITHIN_MS = 30_000;

let daemon: TestDaemon;
const peers: HostilePeer[] = [];
before(async () => {
  const cache = { name: 'cache', permissions: ['watch'], issuers: [ISSUER], audiences: ['*'] };
  daemon = await startTestDaemon({ callers: [cache], config: { limits: { watch_queue: QUEUE } } });
});
after(async () => {
  for (const peer of peers) peer.close();
  await daemon.stop();
});

async function openStreams(): Promise<readonly ClientHttp2Stream[]> {
  const opened = await Promise.all(Array.from({ length: PEERS }, () => openPeer(toPeerAddress(daemon, 'cache'))));
  peers.push(...opened);
  return opened.map((peer) => peer.call(WATCH));
}

/** How each ended, without its having been read. */
async function endsOf(streams: readonly ClientHttp2Stream[]): Promise<readonly string[]> {
  const endMs = performance.now() + ENDED_WITHIN_MS;
  while (streams.some((stream) => !stream.closed)) {
    assert.ok(performance.now() < endMs, 'the daemon ends them');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return streams.map((stream) => `reset ${stream.rstCode}`);
}

describe('watchers that hold on', { concurrency: true, timeout: 120_000 }, () => {
  it('without reading are cut off; the others are told everything', async () => {
    const start = WatchRevocationsRequest.encode({ kind: { $case: 'start', value: { afterRevision: '' } } }).finish();
    const good = openWatch({ target: daemon.process.target, tls: daemon.workspace.tls('cache') });
    good.start();
    await good.nextOf('started');
    const stalled = await openStreams();
    for (const stream of stalled) stream.write(toFrame(start));
    await Promise.all(stalled.map((stream) => new Promise((resolve) => stream.once('response', resolve))));
    const keyRing = parseKeyRing(readFileSync(join(daemon.workspace.folder, 'introspectd.keys'), 'utf8'));
    const options = { ...makeOptions({ clockMs: 0 }), clock: Date.now, keyChecks: keyRing.checks };
    const store = await openLmdbTokenStore({ ...options, path: daemon.workspace.storeFolder });
    const issuerTag = keyRing.tag('issuer', ISSUER, '');
    const expected: string[] = [];
    for (let burst = 0; burst < BURSTS; burst++) {
      const tags = Array.from({ length: BURST }, (_, index) => keyRing.tag('jti', ISSUER, `${burst}-${index}`));
      await Promise.all(tags.map((tag) => store.revokeTag({ tag, issuerTag, beforeMs: undefined })));
      expected.push(...tags.map((tag) => keyRing.sealTags('cache', tag).toString('hex')));
      while (good.tags().length < expected.length) await good.next();
    }
    assert.deepEqual(good.tags(), expected);
    // ENHANCE_YOUR_CALM.
    assert.deepEqual(await endsOf(stalled), Array(PEERS).fill('reset 11'));
    assert.match(daemon.log(), /OVERLOADED/);
    good.close();
    await store.close();
  });

  it('without saying what they want are ended', async () => {
    const silent = await openStreams();
    assert.deepEqual(await Promise.all(silent.map(outcomeOf)), Array(PEERS).fill('status 3'));
  });
});
