// The feed of revocations: in order, over lost connections, until it is ended.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { RevocationNotice } from '@introspectd/client';
import { until } from '../grpc/until.js';
import { endWatch, startWatchedServer, tagOf, type WatchedServer } from './support/watched-server.js';

describe('watchRevocations', () => {
  let server: WatchedServer;
  beforeEach(async () => {
    server = await startWatchedServer();
  });
  afterEach(() => server.stop());

  /** Follows it in the background. */
  function follow(options: { signal?: AbortSignal; afterRevision?: string } = {}) {
    const notices: RevocationNotice[] = [];
    const client = server.connect();
    const ended = (async () => {
      for await (const notice of client.watchRevocations(options)) notices.push(notice);
    })();
    ended.catch(() => undefined);
    return { notices, ended, client, until: (count: number) => until(() => notices.length >= count) };
  }

  const tag = (name: string) => tagOf(name).toString('base64url');

  it('tells what is revoked, in order, and what was missed', async () => {
    const feed = follow();
    await feed.until(1);
    server.tell(tagOf('a'), tagOf('b'));
    server.tell(tagOf('c'));
    server.reset();
    await feed.until(5);
    const before_ms = 253_402_300_799_999;
    assert.deepEqual(feed.notices, [
      { kind: 'started', revision: '0' },
      { kind: 'revoked', tag: tag('a'), before_ms, revision: '1' },
      { kind: 'revoked', tag: tag('b'), before_ms, revision: '1' },
      { kind: 'revoked', tag: tag('c'), before_ms, revision: '2' },
      { kind: 'reset', reason: 'test', revision: '2' },
    ]);
    assert.equal(feed.client.stats().cache, 'waiting', 'it is no lease');
  });

  it('goes on where it was when the connection is lost, and where it is told to', async () => {
    const feed = follow({ afterRevision: 'r-7' });
    await feed.until(1);
    server.tell(tagOf('a'));
    await feed.until(2);
    const [watch] = server.watches;
    assert.ok(watch);
    await endWatch(watch, status.UNAVAILABLE);
    await feed.until(3);
    assert.deepEqual(server.starts, ['r-7', '1']);
    assert.equal(feed.notices.at(-1)?.kind, 'started');
  });

  it('ends with its signal, its loop and its client, without an error', async () => {
    const controller = new AbortController();
    const signalled = follow({ signal: controller.signal });
    await signalled.until(1);
    controller.abort();
    await signalled.ended;

    const client = server.connect();
    for await (const notice of client.watchRevocations()) {
      assert.equal(notice.kind, 'started');
      break;
    }
    await until(() => server.watches.length === 0);

    const closed = follow();
    await closed.until(1);
    await closed.client.close();
    await closed.ended;
    assert.throws(() => closed.client.watchRevocations()[Symbol.asyncIterator](), { code: 'CANCELLED' });
  });

  it('throws when the server refuses', async () => {
    const feed = follow();
    await feed.until(1);
    const [watch] = server.watches;
    assert.ok(watch);
    await endWatch(watch, status.PERMISSION_DENIED);
    await assert.rejects(feed.ended, { name: 'IntrospectionError', code: 'PERMISSION_DENIED' });
  });
});
