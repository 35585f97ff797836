// 200 watchers of one daemon, a tenth of which do not read: the others are told everything, and the daemon's memory stays.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Client, type ClientDuplexStream, status as Code } from '@grpc/grpc-js';
import {
  WatchRevocationsRequest,
  WatchRevocationsResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { parseKeyRing } from '../../src/core/key-ring.js';
import { openLmdbTokenStore } from '../../src/store/lmdb-token-store.js';
import { ISSUER } from '../cases/introspect-cases.js';
import { makeOptions } from '../store/harness.js';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createTestCredentials } from '../support/test-credentials.js';

const WATCHERS = 200;
const STALLED = 20;
const EVENTS = 50_000;
/** So many at once are let loose on those who read: less than the queue of a watcher. */
const BURST = 2500;
const MAX_GROWTH_KIB = 64 * 1024;
const BOUND_MS = 120_000;
const METHOD = '/introspectd.v1.IntrospectionService/WatchRevocations';

describe('many watchers', () => {
  it('20 of 200 do not read 50,000 events: memory stays, the others get all, in order', {
    skip: process.platform !== 'linux' && 'reads /proc',
  }, async (t) => {
    const watcher = { name: 'cache', permissions: ['watch'], issuers: [ISSUER], audiences: ['*'] };
    const daemon = await startTestDaemon({ callers: [watcher] });
    const keyRing = parseKeyRing(readFileSync(join(daemon.workspace.folder, 'introspectd.keys'), 'utf8'));
    // Another process on the folder: a quicker source of revocations than as many calls.
    const options = { ...makeOptions({ clockMs: 0 }), clock: Date.now, keyChecks: keyRing.checks };
    const store = await openLmdbTokenStore({ ...options, path: daemon.workspace.storeFolder });
    const readers = open(daemon, WATCHERS - STALLED);
    const stalled = open(daemon, STALLED);
    try {
      await Promise.all([...readers, ...stalled].map((watch) => watch.started));
      for (const watch of stalled) watch.call.pause();
      const [first] = readers;
      assert.ok(first);
      const issuerTag = keyRing.tag('issuer', ISSUER, '');
      const expected: string[] = [];
      const beforeKib = readAnonymousKib(daemon.process.pid);
      let peakKib = beforeKib;
      const endMs = performance.now() + BOUND_MS;
      for (let done = 0; done < EVENTS; done += BURST) {
        const tags = Array.from({ length: BURST }, (_, index) => keyRing.tag('jti', ISSUER, `${done + index}`));
        await Promise.all(tags.map((tag) => store.revokeTag({ tag, issuerTag, beforeMs: undefined })));
        expected.push(...tags.map((tag) => keyRing.sealTags('cache', tag).toString('hex')));
        while (!readers.every((watch) => watch.bytes() === first.bytes()) || first.tags().length < done + BURST) {
          assert.ok(performance.now() < endMs, 'told in time');
          peakKib = Math.max(peakKib, readAnonymousKib(daemon.process.pid));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
      assert.deepEqual(first.tags(), expected);
      const digests = new Set(readers.map((watch) => watch.digest()));
      assert.equal(digests.size, 1, 'all of them were told the same, in the same order');
      peakKib = Math.max(peakKib, readAnonymousKib(daemon.process.pid));
      t.diagnostic(`anonymous memory grew by ${peakKib - beforeKib} KiB`);
      assert.ok(peakKib - beforeKib < MAX_GROWTH_KIB, `grew by ${peakKib - beforeKib} KiB`);

      for (const watch of stalled) watch.call.resume();
      for (const code of await Promise.all(stalled.map((watch) => watch.ended))) {
        assert.ok(code === Code.RESOURCE_EXHAUSTED || code === Code.UNAVAILABLE, `${code}`);
      }
    } finally {
      for (const watch of [...readers, ...stalled]) watch.close();
      await store.close();
      await daemon.stop();
    }
  });
});

/** Watches of the caller, each on a connection of its own. The events of the first alone are decoded. */
function open(daemon: TestDaemon, count: number) {
  const credentials = createTestCredentials(daemon.workspace.tls('cache'));
  const start = WatchRevocationsRequest.encode({ kind: { $case: 'start', value: { afterRevision: '' } } }).finish();
  return Array.from({ length: count }, (_, index) => {
    const client = new Client(daemon.process.target, credentials, { 'grpc.use_local_subchannel_pool': 1 });
    const asIs = (bytes: Buffer) => bytes;
    const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(METHOD, asIs, asIs);
    const hash = createHash('sha256');
    const tags: string[] = [];
    let length = 0;
    let begin = () => {};
    const started = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const ended = new Promise<number>((resolve) => {
      call.on('error', ({ code }: Error & { code?: number }) => resolve(code ?? Code.UNKNOWN));
      call.on('end', () => resolve(Code.OK));
    });
    call.once('data', () => {
      begin();
      call.on('data', (bytes: Buffer) => {
        hash.update(bytes);
        length += bytes.length;
        const kind = index === 0 ? WatchRevocationsResponse.decode(bytes).kind : undefined;
        if (kind?.$case === 'events') tags.push(...kind.value.events.map(({ tag }) => tag.toString('hex')));
      });
    });
    call.write(Buffer.from(start));
    return {
      ...{ call, started, ended },
      tags: () => tags,
      bytes: () => length,
      digest: () => hash.copy().digest('hex'),
      close: () => {
        call.cancel();
        client.close();
      },
    };
  });
}

function readAnonymousKib(pid: number): number {
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib);
}
