// A reset frees the stream and not the handler: handlers are what is counted.
import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import { IntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { getTestCa, INACTIVE_TO_ALL, startTestServer, TRUST_DOMAIN } from '../support/start-server.js';
import { INTROSPECT, openPeer, toFrame } from './support/hostile-peer.js';

const CAP = 20;
const RESETS = 1000;

test('the handlers of reset calls count, and never exceed the cap', { timeout: 20_000 }, async () => {
  const running = { now: 0, most: 0, began: 0 };
  let release: (() => void) | undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const introspect = {
    ...INACTIVE_TO_ALL,
    one: async () => {
      running.now += 1;
      running.began += 1;
      running.most = Math.max(running.most, running.now);
      await released;
      running.now -= 1;
      return { active: false, reason: 'NOT_FOUND' } as const;
    },
  };
  await using server = await startTestServer({ introspect, limits: { inflight: CAP }, logLevel: 'error' });
  const ca = await getTestCa();
  const { certPem: cert, keyPem: key } = await ca.issue({ uris: [`${TRUST_DOMAIN}/orders`] });
  const address = { port: Number(server.target.split(':').at(-1)), ca: ca.certPem, cert, key };
  const question: IntrospectRequest = { token: 'x', tokenTypeHint: '', audiences: [], includeTags: false };
  const frame = toFrame(IntrospectRequest.encode(question).finish());
  for (let sent = 0; sent < RESETS; ) {
    const peer = await openPeer(address);
    for (let here = 0; here < RESETS / 4 && !peer.session.closed; here += 1, sent += 1) {
      const stream = peer.call(INTROSPECT).end(frame);
      await nextTick();
      stream.close(constants.NGHTTP2_CANCEL);
    }
    peer.close();
  }
  assert.deepEqual({ most: running.most, began: running.began }, { most: CAP, began: CAP });
  release?.();
});
