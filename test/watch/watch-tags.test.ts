// The tags of an answer are those of the events that end it: what a cache keeps, a revocation reaches.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IntrospectRequest, IntrospectResponse } from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createRawCaller, type RawCaller } from '../support/raw-call.js';
import { openWatch, type TestWatch } from '../support/watch-stream.js';

const NAMES = ['orders', 'billing', 'plain'];
const WATCHING = ['introspect', 'batch', 'watch'];

let daemon: TestDaemon;
const callers = new Map<string, RawCaller>();
before(async () => {
  const more = NAMES.map((name) => ({
    ...{ name, issuers: [ISSUER], audiences: [AUDIENCE] },
    permissions: name === 'plain' ? ['introspect'] : WATCHING,
  }));
  daemon = await startTestDaemon({ callers: [...CALLERS.filter(({ name }) => name !== 'orders'), ...more] });
  for (const name of NAMES) {
    callers.set(name, createRawCaller(daemon.process.target, daemon.workspace.tls(name)));
  }
});
after(async () => {
  for (const caller of callers.values()) caller.close();
  await daemon.stop();
});

async function introspect(caller: string, token: string, includeTags = true): Promise<IntrospectResponse> {
  const request = IntrospectRequest.encode({ token, tokenTypeHint: '', audiences: [], includeTags }).finish();
  const answer = await callers.get(caller)?.call('/introspectd.v1.IntrospectionService/Introspect', request);
  assert.ok(answer?.bytes, answer?.error?.message);
  return IntrospectResponse.decode(answer.bytes);
}

function toTags({ tags }: IntrospectResponse): readonly string[] {
  return tags.toString('hex').match(/.{32}/g) ?? [];
}

describe('tags of an answer', () => {
  it('are reached by the revocation of the token, and of the grant that its refresh token takes along', async () => {
    await daemon.register([
      { token: 'access-1', claims: { grantId: 'g1', jti: 'j1' } },
      { token: 'refresh-1', claims: { grantId: 'g1', tokenUse: 2 } },
      { token: 'access-2', claims: { jti: 'j2' } },
    ]);
    const watch: TestWatch = openWatch({ target: daemon.process.target, tls: daemon.workspace.tls('orders') });
    watch.start();
    await watch.nextOf('started');
    const [first, second] = [await introspect('orders', 'access-1'), await introspect('orders', 'access-2')];
    const reached = (answer: IntrospectResponse) => watch.tags().some((tag) => toTags(answer).includes(tag));
    await daemon.client('security').revoke('access-2');
    watch.renew(1);
    await watch.nextOf('renewed');
    assert.deepEqual([reached(first), reached(second)], [false, true]);
    await daemon.client('security').revoke('refresh-1');
    watch.renew(2);
    await watch.nextOf('renewed');
    assert.equal(reached(first), true);
    watch.close();
  });

  it('differ from caller to caller for the same token, and are the same for one caller each time', async () => {
    await daemon.register([{ token: 'shared', claims: { grantId: 'g', jti: 'j', sid: 's' } }]);
    const [one, again, other] = [
      toTags(await introspect('orders', 'shared')),
      toTags(await introspect('orders', 'shared')),
      toTags(await introspect('billing', 'shared')),
    ];
    assert.deepEqual(one, again);
    assert.ok(one.length >= 7, `${one.length} tags`);
    assert.deepEqual(
      one.filter((tag) => other.includes(tag)),
      [],
    );
  });

  it('come only with the permission and when they are asked for; without them nothing may be kept', async () => {
    await daemon.register([{ token: 'kept' }]);
    const tagged = await introspect('orders', 'kept');
    assert.ok(tagged.tags.length > 0 && tagged.cacheMs > 0n && tagged.cacheMs <= 60_000n);
    for (const answer of [await introspect('plain', 'kept'), await introspect('orders', 'kept', false)]) {
      assert.deepEqual([answer.active, answer.tags.length, answer.cacheMs], [true, 0, 0n]);
    }
    const unknown = await introspect('orders', 'unknown');
    assert.deepEqual([unknown.active, unknown.tags.length, unknown.cacheMs], [false, 0, 1000n]);
  });

  it('are kept no longer than the token is good', async () => {
    const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
    await daemon.register([{ token: 'short', claims: { exp: nowSeconds + 20n } }]);
    const { cacheMs } = await introspect('orders', 'short');
    assert.ok(cacheMs > 0n && cacheMs <= 20_000n, `${cacheMs}`);
  });
});
