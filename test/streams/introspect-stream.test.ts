// StreamIntrospect through a daemon over mutual TLS, on each engine.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  type StreamIntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { FOREIGN_ISSUER } from '../cases/introspect-cases.js';
import { toDetails } from '../grpc/ask.js';
import { toChunk } from '../support/chunk-stream.js';
import { createRawCaller } from '../support/raw-call.js';
import { ENGINES, range, type StreamStage, toOutcome } from './stage.js';

const BATCH = '/introspectd.v1.IntrospectionService/BatchIntrospect';
const GOOD = range(50).map((index) => `good-${index}`);
const MIXED = [...GOOD, 'revoked', 'foreign', 'unknown', '', 'not a token', 'x'.repeat(5000), ...GOOD];
const FULL = range(1000).map((index) => GOOD[index % 50] ?? '');

for (const { engine, missing, start } of ENGINES) {
  describe(`StreamIntrospect on ${engine}`, { skip: missing }, () => {
    let stage: StreamStage;
    before(async () => {
      stage = await start();
      const { daemon } = stage;
      await daemon.register([...GOOD, 'revoked'].map((token) => ({ token })));
      await daemon.register([{ token: 'foreign', claims: { iss: FOREIGN_ISSUER } }]);
      await daemon.client('security').revoke('revoked');
    });
    after(() => stage.close());

    it('answers in the order of the chunks, with the bytes of BatchIntrospect', async () => {
      const { daemon } = stage;
      for (const caller of ['job', 'auditor']) {
        const raw = createRawCaller(daemon.process.target, daemon.workspace.tls(caller));
        const stream = stage.introspect(caller);
        const batches = [MIXED, FULL, ['good-1'], FULL, MIXED];
        // Ids are the client's: used again, 0, and as large as they can be.
        const ids = [7, 7, 0, 0xffffffff, 1];
        for (const [index, tokens] of batches.entries()) stream.send(toChunk(ids[index] ?? 0, tokens));
        stream.halfClose();
        assert.equal((await stream.ended).code, 'OK');
        assert.deepEqual(
          stream.messages.map(({ chunkId }) => chunkId),
          ids,
        );
        for (const [index, tokens] of batches.entries()) {
          const request = toChunk(0, tokens).batch ?? assert.fail();
          const { bytes } = await raw.call(BATCH, BatchIntrospectRequest.encode(request).finish());
          const { outcome } = stream.messages[index] ?? {};
          assert.ok(outcome?.$case === 'batch' && bytes !== undefined);
          assert.deepEqual(Buffer.from(BatchIntrospectResponse.encode(outcome.value).finish()), bytes);
        }
        raw.close();
      }
    });

    it('a bad chunk fails alone', async () => {
      const stream = stage.introspect();
      const tooMany = [...FULL, 'one-more'];
      for (const [id, tokens] of [[], tooMany, ['good-1']].entries()) stream.send(toChunk(id, tokens));
      stream.send({ chunkId: 3, batch: undefined });
      const audiences = range(101).map(String);
      stream.send({ chunkId: 4, batch: { ...(toChunk(0, ['good-1']).batch ?? assert.fail()), audiences } });
      stream.send(toChunk(5, ['good-1']));
      stream.halfClose();
      assert.equal((await stream.ended).code, 'OK');
      assert.deepEqual(stream.messages.map(toOutcome), [
        'BATCH_EMPTY',
        'BATCH_TOO_LARGE',
        [true],
        'BATCH_EMPTY',
        'REQUEST_INVALID',
        [true],
      ]);
    });

    it('is charged by token: a chunk too many fails alone and says when to come back', async () => {
      const stream = stage.introspect('slow-job');
      for (const id of [0, 1, 2]) stream.send(toChunk(id, FULL.slice(0, 100)));
      stream.send(toChunk(3, FULL.slice(0, 40)));
      const answers = await take(stream, 4);
      assert.deepEqual(
        answers.map(({ outcome }) => outcome?.$case),
        ['batch', 'batch', 'error', 'batch'],
      );
      const { reason, retryMs } = detailsOf(answers[2]);
      assert.equal(reason, 'RATE_LIMITED');
      assert.ok(retryMs !== undefined && retryMs > 10_000, `${retryMs} ms`);
    });

    it('a revoked token is not active in any chunk sent after the acknowledgement', async () => {
      const { daemon } = stage;
      const security = daemon.client('security');
      const stream = stage.introspect();
      const tokens = range(60).map((index) => `short-lived-${index}`);
      await daemon.register(tokens.map((token) => ({ token, claims: { sub: 'mallory' } })));
      for (const [index, token] of tokens.slice(0, 50).entries()) {
        // In front of it and under way, so that the chunk waits.
        stream.send(toChunk(1, FULL));
        stream.send(toChunk(2, [token]));
        await security.revoke(token);
        stream.send(toChunk(3, [...GOOD, ...tokens.slice(0, index + 1)]));
        const [, , last] = await take(stream, 3);
        const outcome = toOutcome(last ?? assert.fail());
        assert.deepEqual(outcome, [...GOOD.map(() => true), ...range(index + 1).map(() => false)]);
      }
      await security.revoke({ iss: 'https://login.example', sub: 'mallory' });
      stream.send(toChunk(4, tokens));
      assert.deepEqual(
        toOutcome(await stream.next()),
        tokens.map(() => false),
      );
    });

    it('drains: what it took is answered, the rest goes on at another daemon, and no line is lost or doubled', async () => {
      const { daemon } = stage;
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const stream = stage.introspect();
        // Far more than it can have answered.
        for (const id of range(300)) stream.send(toChunk(id, FULL));
        await take(stream, 5);
        const [{ code, reason }] = await Promise.all([stream.ended, daemon.restart(signal)]);
        assert.equal(code, 'UNAVAILABLE');
        assert.equal(reason, signal === 'SIGTERM' ? 'DRAINING' : undefined);
        const answered = stream.messages.length;
        assert.ok(answered >= 5 && answered < 300, `${answered} chunks`);
        assert.deepEqual(
          stream.messages.map(({ chunkId }) => chunkId),
          range(answered),
        );
        const second = stage.introspect();
        for (const id of range(10)) second.send(toChunk(answered + id, FULL));
        second.halfClose();
        assert.equal((await second.ended).code, 'OK');
        assert.equal(second.messages[0]?.chunkId, answered);
        for (const message of [...stream.messages, ...second.messages]) assert.equal(message.outcome?.$case, 'batch');
      }
    });

    if (engine === 'Redis') {
      it('a store that is away fails chunks, not the stream', async () => {
        const { redis } = stage;
        assert.ok(redis);
        const stream = stage.introspect();
        stream.send(toChunk(0, ['good-1']));
        assert.deepEqual(toOutcome(await stream.next()), [true]);
        await redis.kill();
        stream.send(toChunk(1, ['good-1', 'unknown']));
        const failed = await stream.next();
        assert.equal(failed.chunkId, 1);
        const { reason, retryMs } = detailsOf(failed);
        assert.deepEqual([reason, retryMs], ['STORE_UNAVAILABLE', 250]);
        await redis.start();
        const endMs = performance.now() + 10_000;
        for (let id = 2; ; id++) {
          stream.send(toChunk(id, ['good-1', 'unknown']));
          const outcome = toOutcome(await stream.next());
          if (outcome !== 'STORE_UNAVAILABLE') {
            assert.deepEqual(outcome, [true, false]);
            break;
          }
          assert.ok(performance.now() < endMs, 'in time');
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      });
    }
  });
}

async function take(stream: { next(): Promise<StreamIntrospectResponse> }, count: number) {
  const taken: StreamIntrospectResponse[] = [];
  while (taken.length < count) taken.push(await stream.next());
  return taken;
}

function detailsOf(message: StreamIntrospectResponse | undefined) {
  assert.equal(message?.outcome?.$case, 'error');
  return toDetails(message.outcome.value.details);
}
