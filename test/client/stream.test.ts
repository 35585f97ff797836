// client.stream: an outcome for every item, in order, once, whatever happens to chunks and streams on the way.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { IntrospectionError, type StreamOptions } from '@introspectd/client';
import type { Status } from '@introspectd/client/gen/google/rpc/status';
import type {
  StreamIntrospectRequest,
  StreamIntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { until } from '../grpc/until.js';
import { MINIMAL_CLAIMS, response } from './support/messages.js';
import { type ScriptedServer, type StreamCall, startScriptedServer } from './support/scripted-server.js';
import { errorInfo, retryInfo, rpcStatus } from './support/status-details.js';

const OVERLOADED = rpcStatus(status.RESOURCE_EXHAUSTED, 'later', [errorInfo('OVERLOADED'), retryInfo(0, 300_000_000)]);
const DENIED = rpcStatus(status.PERMISSION_DENIED, 'no', [errorInfo('PERMISSION_MISSING')]);
const MALFORMED = rpcStatus(status.INVALID_ARGUMENT, 'no token', [errorInfo('TOKEN_MALFORMED')]);

const tokens = (count: number) => Array.from({ length: count }, (_, index) => `token-${index}`);

/** Tokens with an even number are active, those with an x are none. */
function answer({ chunkId, batch }: StreamIntrospectRequest): StreamIntrospectResponse {
  const results = (batch?.items ?? []).map(({ token }) => {
    if (token.includes('x')) return { outcome: { $case: 'error' as const, value: MALFORMED } };
    const isActive = Number(token.split('-')[1]) % 2 === 0;
    const value = response(isActive ? { active: true, claims: { ...MINIMAL_CLAIMS, sub: token } } : {});
    return { outcome: { $case: 'response' as const, value } };
  });
  return { chunkId, outcome: { $case: 'batch', value: { results } } };
}

function refuse({ chunkId }: StreamIntrospectRequest, value: Status): StreamIntrospectResponse {
  return { chunkId, outcome: { $case: 'error', value } };
}

describe('client.stream', () => {
  let server: ScriptedServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  async function start(script: (stream: StreamCall) => void) {
    server = await startScriptedServer({ streamIntrospect: script });
    return server.connect();
  }

  /** Answers each chunk as soon as it comes. */
  const answerAll = (stream: StreamCall) => {
    stream.on('data', (request: StreamIntrospectRequest) => stream.write(answer(request)));
    stream.on('end', () => stream.end());
  };

  async function collect(
    client: Awaited<ReturnType<typeof start>>,
    items: AsyncIterable<string> | Iterable<string>,
    options: StreamOptions = {},
  ): Promise<string[]> {
    const seen: string[] = [];
    for await (const { item, outcome } of client.stream(items, options)) {
      if (!(outcome instanceof IntrospectionError) && outcome.active) assert.equal(outcome.sub, item);
      const verdict = outcome instanceof IntrospectionError ? outcome.reason : outcome.active;
      seen.push(`${item} ${verdict}`);
    }
    return seen;
  }

  const expected = (count: number) => tokens(count).map((token, index) => `${token} ${index % 2 === 0}`);

  it('answers every item in order; one that is no token fails alone', async () => {
    const client = await start(answerAll);
    assert.deepEqual(await collect(client, tokens(1_234), { chunkTokens: 100 }), expected(1_234));
    assert.deepEqual(await collect(client, ['token-0', 'x', 'token-1']), [
      'token-0 true',
      'x TOKEN_MALFORMED',
      'token-1 false',
    ]);
    assert.deepEqual(await collect(client, []), []);
  });

  it('keeps the order when chunks are answered in another', async () => {
    const client = await start((stream) => {
      const waiting: StreamIntrospectRequest[] = [];
      stream.on('data', (request: StreamIntrospectRequest) => {
        if (waiting.push(request) < 4) return;
        for (const last of waiting.splice(0).reverse()) stream.write(answer(last));
      });
      stream.on('end', () => stream.end());
    });
    const options = { chunkTokens: 10, concurrency: 4 };
    assert.deepEqual(await collect(client, tokens(80), options), expected(80));
  });

  it('gives objects back with their outcomes', async () => {
    const client = await start(answerAll);
    const seen: unknown[] = [];
    for await (const { item, outcome } of client.stream([{ id: 7, token: 'token-1' }])) seen.push([item.id, outcome]);
    assert.deepEqual(seen, [[7, { active: false }]]);
  });

  it('asks again about what a lost stream did not answer, and about nothing else', async () => {
    const asked: string[] = [];
    let streams = 0;
    const client = await start((stream) => {
      streams += 1;
      let chunks = 0;
      stream.on('data', (request: StreamIntrospectRequest) => {
        chunks += 1;
        if (streams < 4 && chunks === 3) {
          stream.emit('error', Object.assign(new Error('gone'), { code: status.UNAVAILABLE, details: 'draining' }));
          return;
        }
        if (streams < 4 && chunks > 3) return;
        asked.push(...(request.batch?.items ?? []).map(({ token }) => token));
        stream.write(answer(request));
      });
      stream.on('end', () => stream.end());
    });
    const retried: string[] = [];
    const options = { chunkTokens: 10, onRetry: ({ code }: IntrospectionError) => void retried.push(code) };
    assert.deepEqual(await collect(client, tokens(200), options), expected(200));
    assert.deepEqual(retried, ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    assert.equal(streams, 4);
    assert.ok(asked.length - new Set(asked).size <= 3 * 2 * 10, 'more was asked twice than was on its way');
  });

  it('obeys "come back later" of one chunk', async () => {
    let refusedMs: number | undefined;
    let againMs: number | undefined;
    const client = await start((stream) => {
      stream.on('data', (request: StreamIntrospectRequest) => {
        const isFirst = refusedMs === undefined;
        if (isFirst) refusedMs = performance.now();
        else if (request.chunkId === 0) againMs ??= performance.now();
        stream.write(isFirst ? refuse(request, OVERLOADED) : answer(request));
      });
      stream.on('end', () => stream.end());
    });
    assert.deepEqual(await collect(client, tokens(50), { chunkTokens: 10 }), expected(50));
    // Timers of Node may be a millisecond early.
    assert.ok((againMs ?? 0) - (refusedMs ?? 0) >= 299, 'it came back too soon');
  });

  it('does not go on when trying again is of no use', async () => {
    let streams = 0;
    const client = await start((stream) => {
      streams += 1;
      stream.on('data', (request: StreamIntrospectRequest) => stream.write(refuse(request, DENIED)));
    });
    await assert.rejects(collect(client, tokens(5)), { code: 'PERMISSION_DENIED', reason: 'PERMISSION_MISSING' });
    assert.equal(streams, 1);
  });

  it('gives up when nothing is answered for maxStallMs', async () => {
    const client = await start((stream) => {
      stream.on('data', (request: StreamIntrospectRequest) => stream.write(refuse(request, OVERLOADED)));
    });
    const startMs = performance.now();
    await assert.rejects(collect(client, tokens(5), { maxStallMs: 1_000 }), { reason: 'OVERLOADED' });
    assert.ok(performance.now() - startMs < 20_000);
  });

  for (const [name, script] of [
    ['too few outcomes', (request) => ({ ...answer(request), outcome: { $case: 'batch', value: { results: [] } } })],
    ['an answer to nothing', (request) => ({ ...answer(request), chunkId: 99 })],
    ['no outcome', ({ chunkId }) => ({ chunkId, outcome: undefined })],
  ] as readonly (readonly [string, (request: StreamIntrospectRequest) => StreamIntrospectResponse])[]) {
    it(`takes no answer that breaks the contract: ${name}`, async () => {
      const client = await start((stream) => {
        stream.on('data', (request: StreamIntrospectRequest) => stream.write(script(request)));
      });
      await assert.rejects(collect(client, tokens(3)), { code: 'INTERNAL' });
    });
  }

  it('takes items only as fast as the outcomes are read', async () => {
    let taken = 0;
    async function* source() {
      for (const token of tokens(100_000)) {
        taken += 1;
        yield token;
      }
    }
    const client = await start(answerAll);
    const loop = client.stream(source(), { chunkTokens: 10, concurrency: 3 })[Symbol.asyncIterator]();
    await loop.next();
    await until(() => taken > 30);
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    // Three chunks in the window, one that waits for room, one in the making.
    assert.ok(taken <= 60, `${taken} were taken`);
    await loop.return?.();
  });

  it('answers a slow source as it goes', async () => {
    const client = await start(answerAll);
    let give: (token: string) => void = () => undefined;
    async function* source() {
      for (;;) {
        yield await new Promise<string>((resolve) => {
          give = resolve;
        });
      }
    }
    const loop = client.stream(source())[Symbol.asyncIterator]();
    for (let index = 0; index < 3; index++) {
      const next = loop.next();
      await until(() => give !== undefined);
      await new Promise((resolve) => setImmediate(resolve));
      give(`token-${index}`);
      assert.equal((await next).value.item, `token-${index}`);
    }
    await loop.return?.();
  });

  it('hands on what the source throws, after the answers to what came before it', async () => {
    const client = await start(answerAll);
    async function* source() {
      yield* tokens(25);
      throw new RangeError('no more');
    }
    const seen: string[] = [];
    const read = async () => {
      for await (const { item } of client.stream(source(), { chunkTokens: 10 })) seen.push(item);
    };
    await assert.rejects(read(), RangeError);
    assert.deepEqual(seen, tokens(25));
  });

  it('ends at its signal, and when the client is closed', async () => {
    const client = await start(() => undefined);
    const controller = new AbortController();
    const aborted = collect(client, tokens(3), { signal: controller.signal });
    const closed = collect(client, tokens(3));
    setImmediate(() => controller.abort(new Error('enough')));
    await assert.rejects(aborted, { code: 'CANCELLED' });
    await Promise.all([client.close(), assert.rejects(closed, { code: 'CANCELLED' })]);
    assert.throws(() => client.stream([]), { code: 'CANCELLED' });
  });

  it('refuses what cannot be meant', async () => {
    const client = await start(answerAll);
    for (const options of [{ chunkTokens: 1_001 }, { concurrency: 0 }, { maxStallMs: -1 }]) {
      await assert.rejects(collect(client, [], options), { code: 'INVALID_ARGUMENT' });
    }
    await assert.rejects(collect(client, 'token'), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(collect(client, [7 as unknown as string]), { code: 'INVALID_ARGUMENT' });
  });
});
