// RFC 7662 §2.2: an inactive answer does not say why, not even by its bytes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  IntrospectRequest,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { AUDIENCE, FOREIGN_ISSUER, ISSUER } from '../cases/introspect-cases.js';
import { openIntrospectStream, toChunk } from '../support/chunk-stream.js';
import { CALLERS, startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { createRawCaller, type RawCaller } from '../support/raw-call.js';

const SERVICE = '/introspectd.v1.IntrospectionService';
const INACTIVE = ['unknown', 'revoked', 'revoked-unknown', 'expired', 'foreign-issuer', 'foreign-audience', 'refresh'];

describe('inactive answers', () => {
  let daemon: TestDaemon;
  let orders: RawCaller;
  before(async () => {
    const job = { name: 'job', permissions: ['stream'], issuers: [ISSUER], audiences: [AUDIENCE] };
    daemon = await startTestDaemon({ callers: [...CALLERS, job] });
    const past = BigInt(Math.floor(Date.now() / 1000) - 60);
    await daemon.register([
      { token: 'revoked' },
      { token: 'expired', claims: { iat: past - 60n, exp: past } },
      { token: 'foreign-issuer', claims: { iss: FOREIGN_ISSUER } },
      { token: 'foreign-audience', claims: { aud: ['https://billing.example'] } },
      { token: 'refresh', claims: { tokenUse: 2 } },
      { token: 'good' },
    ]);
    for (const token of ['revoked', 'revoked-unknown']) await daemon.client('security').revoke(token);
    orders = createRawCaller(daemon.process.target, daemon.workspace.tls('orders'));
  });
  after(async () => {
    orders.close();
    await daemon.stop();
  });

  it('are the same bytes whatever the reason', async () => {
    const answers = await Promise.all(INACTIVE.map((token) => introspect(token)));
    assert.equal(new Set(answers.map((bytes) => bytes.toString('hex'))).size, 1, 'one answer for all');
    assert.notDeepEqual(await introspect('good'), answers[0]);
  });

  it('are the same bytes in a batch', async () => {
    const items = INACTIVE.map((token) => ({ token, tokenTypeHint: '' }));
    const answers = await Promise.all(items.map((item) => batch([item])));
    assert.equal(new Set(answers.map((bytes) => bytes.toString('hex'))).size, 1, 'one answer for all');
  });

  it('are the same bytes in a stream', async () => {
    const stream = openIntrospectStream({ target: daemon.process.target, tls: daemon.workspace.tls('job') });
    const answers = new Set<string>();
    for (const token of INACTIVE) {
      stream.send(toChunk(1, [token]));
      const { outcome } = await stream.next();
      assert.ok(outcome?.$case === 'batch');
      answers.add(Buffer.from(BatchIntrospectResponse.encode(outcome.value).finish()).toString('hex'));
    }
    assert.equal(answers.size, 1, 'one answer for all');
    stream.close();
  });

  async function introspect(token: string): Promise<Buffer> {
    const request = { token, tokenTypeHint: '', audiences: [], includeTags: true };
    return answered(orders.call(`${SERVICE}/Introspect`, IntrospectRequest.encode(request).finish()));
  }

  async function batch(items: { token: string; tokenTypeHint: string }[]): Promise<Buffer> {
    const request = { items, audiences: [], includeTags: true };
    return answered(orders.call(`${SERVICE}/BatchIntrospect`, BatchIntrospectRequest.encode(request).finish()));
  }
});

async function answered(calling: ReturnType<RawCaller['call']>): Promise<Buffer> {
  const { error, bytes } = await calling;
  assert.ifError(error);
  assert.ok(bytes);
  return bytes;
}
