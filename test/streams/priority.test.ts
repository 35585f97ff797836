// Large batches and chunks beside live calls: they yield, they are shed first, and they take no room from the others.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  IntrospectRequest,
  IntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import type { TokenStore } from '../../src/core/token-store.js';
import { AUDIENCE, ISSUER } from '../cases/introspect-cases.js';
import { readDetails, toDetails } from '../grpc/ask.js';
import { until } from '../grpc/until.js';
import { openIntrospectStream, type TestChunkStream, toChunk } from '../support/chunk-stream.js';
import { CALLERS } from '../support/daemon.js';
import { type InProcessDaemon, startInProcessDaemon } from '../support/in-process-daemon.js';
import { createRawCaller, type RawCaller } from '../support/raw-call.js';
import { range, toOutcome } from './stage.js';

const JOB = { name: 'job', permissions: ['introspect', 'batch', 'stream'], issuers: [ISSUER], audiences: [AUDIENCE] };
const INFLIGHT = 8;
const BATCH = range(1000).map(String);
const SHED = { reason: 'OVERLOADED', retryMs: 1000 };
const SERVICE = '/introspectd.v1.IntrospectionService';

describe('batches beside live calls', () => {
  let daemon: InProcessDaemon;
  let raw: RawCaller;
  let stopping: Promise<void> | undefined;
  let stream: TestChunkStream<ReturnType<typeof toChunk>, Parameters<typeof toOutcome>[0]>;
  /** Reads that are held back until release(). */
  let holds: (digests: number) => boolean = () => false;
  const held: (() => void)[] = [];
  let reads: { readonly digests: number; readonly atMs: number }[] = [];

  before(async () => {
    const wrap = (store: TokenStore): TokenStore => ({
      ...store,
      read: async (digests, cursor) => {
        if (digests.length > 0) reads.push({ digests: digests.length, atMs: performance.now() });
        if (holds(digests.length)) await new Promise<void>((resolve) => held.push(resolve));
        return store.read(digests, cursor);
      },
    });
    const limits = { inflight: INFLIGHT, store_timeout: '10s' };
    daemon = await startInProcessDaemon(wrap, { limits }, [...CALLERS, JOB]);
    await daemon.register([{ token: 'good' }]);
    raw = createRawCaller(daemon.target, daemon.workspace.tls('job'));
    stream = openIntrospectStream({ target: daemon.target, tls: daemon.workspace.tls('job') });
  });
  beforeEach(() => {
    reads = [];
  });
  after(async () => {
    release();
    raw.close();
    stream.close();
    await (stopping ?? daemon.stop());
  });

  function release(): void {
    holds = () => false;
    for (const go of held.splice(0)) go();
  }

  it('are read in slices; up to 100 tokens are a live call, answered at once', async () => {
    for (const count of [100, 101, 1000]) assert.equal((await askBatch(BATCH.slice(0, count))).results, count);
    stream.send(toChunk(1, BATCH.slice(0, 450)));
    assert.equal(toOutcome(await stream.next()).length, 450);
    assert.deepEqual(
      reads.map(({ digests }) => digests),
      [100, 100, 1, ...Array<number>(10).fill(100), 100, 100, 100, 100, 50],
    );
  });

  it('wait for live calls, and get on all the same', async () => {
    holds = (digests) => digests === 1;
    const live = ask('good');
    await until(() => held.length === 1);
    reads = [];
    const startedMs = performance.now();
    assert.equal((await askBatch(BATCH)).results, 1000);
    assert.equal(reads.length, 10);
    // Ten turns, from each to the next 5 ms.
    const tookMs = (reads.at(-1)?.atMs ?? 0) - startedMs;
    assert.ok(tookMs >= 45, `${tookMs} ms`);
    release();
    assert.equal(await live, true);
  });

  it('while a slice is read the next one is asked about, and no more', async () => {
    reads = [];
    holds = (digests) => digests === 100;
    const batch = askBatch(BATCH);
    await until(() => held.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(reads.length, 2);
    release();
    assert.equal((await batch).results, 1000);
    assert.equal(reads.length, 10);
  });

  it('take no room from live calls', async () => {
    holds = (digests) => digests === 100;
    const batches = range(INFLIGHT).map(() => askBatch(BATCH));
    // Two slices each.
    await until(() => held.length === 2 * INFLIGHT);
    const live = await Promise.all(range(INFLIGHT).map(() => ask('good')));
    assert.deepEqual(
      live,
      range(INFLIGHT).map(() => true),
    );
    assert.equal((await askBatch(BATCH)).reason, 'OVERLOADED');
    release();
    for (const { results } of await Promise.all(batches)) assert.equal(results, 1000);
  });

  it('are shed from half of the room for live calls on, before these are, and nothing is read for them', async () => {
    holds = (digests) => digests < INFLIGHT;
    const live = range(INFLIGHT / 2).map(() => ask('good'));
    await until(() => reads.reduce((sum, { digests }) => sum + digests, 0) === INFLIGHT / 2);
    reads = [];
    assert.deepEqual(await askBatch(BATCH), { ...SHED, results: undefined });
    stream.send(toChunk(7, BATCH));
    const shed = await stream.next();
    assert.ok(shed.chunkId === 7 && shed.outcome?.$case === 'error');
    const { reason, retryMs } = toDetails(shed.outcome.value.details);
    assert.deepEqual({ reason, retryMs }, SHED);
    assert.deepEqual(reads, []);
    assert.equal((await askBatch(BATCH.slice(0, 100))).results, 100);
    release();
    for (const isActive of live) assert.equal(await isActive, true);
    stream.send(toChunk(8, ['good', 'unknown']));
    assert.deepEqual(toOutcome(await stream.next()), [true, false]);
  });

  it('a drain answers the chunk that is under way', async () => {
    holds = (digests) => digests > 1;
    stream.send(toChunk(9, ['good', 'unknown']));
    await until(() => held.length === 1);
    stopping = daemon.stop();
    const refused = async () => readDetails((await raw.call(`${SERVICE}/Introspect`, Buffer.alloc(0))).error?.metadata);
    while ((await refused()).reason === 'TOKEN_REQUIRED') await new Promise((resolve) => setImmediate(resolve));
    release();
    const answer = await stream.next();
    assert.deepEqual([answer.chunkId, toOutcome(answer)], [9, [true, false]]);
    assert.deepEqual(await stream.ended, { code: 'UNAVAILABLE', reason: 'DRAINING', fields: [] });
    await stopping;
  });

  async function ask(token: string): Promise<boolean> {
    const request = { token, tokenTypeHint: '', audiences: [], includeTags: false };
    const { error, bytes } = await raw.call(`${SERVICE}/Introspect`, IntrospectRequest.encode(request).finish());
    assert.ok(error === null && bytes !== undefined, error?.message);
    return IntrospectResponse.decode(bytes).active;
  }

  async function askBatch(tokens: readonly string[]) {
    const request = toChunk(0, tokens).batch ?? assert.fail();
    const { error, bytes } = await raw.call(
      `${SERVICE}/BatchIntrospect`,
      BatchIntrospectRequest.encode(request).finish(),
    );
    const { reason, retryMs } = readDetails(error?.metadata);
    return { reason, retryMs, results: bytes && BatchIntrospectResponse.decode(bytes).results.length };
  }
});
