// The connection to Redis alone, without the trust around it: what was given up must not happen later. Redis keeps nothing
// here, so that what is found in it after a restart was executed after the restart.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import { connectToRedis, type RedisConnection } from '../../src/store/redis-connection.js';
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js';
import { toServer } from './redis-harness.js';

/** Shorter than the pauses between two attempts to connect. */
const TIMEOUT_MS = 20;
const WAIT_MS = 10_000;
const SPAWNED = { encoding: 'utf8', timeout: WAIT_MS } as const;

interface Stage {
  readonly redis: TestRedis;
  readonly connection: RedisConnection;
  /** How often it was ready, and lost. */
  readonly seen: { ready: number; lost: number };
}

async function setUp(t: TestContext): Promise<Stage> {
  const redis = await startRedis(['--appendonly', 'no']);
  t.after(() => redis.close());
  const seen = { ready: 0, lost: 0 };
  const connection = connectToRedis(toServer(redis.url), {
    onReady: () => void seen.ready++,
    onLost: () => void seen.lost++,
    onRefused: () => undefined,
  });
  t.after(() => connection.close());
  await until(() => seen.ready === 1);
  return { redis, connection, seen };
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, 'it took too long');
    await sleep(1);
  }
}

/** Undefined when it was done. */
const refusal = async ({ connection }: Stage, key: string): Promise<StoreUnavailable | undefined> => {
  try {
    await connection.send([['SET', key, '']], TIMEOUT_MS);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StoreUnavailable, String(error));
    return error;
  }
};

/** Behind all that the connection itself may send. */
const find = async ({ connection }: Stage, keys: readonly string[]) => {
  const [count] = await connection.send([['EXISTS', ...keys]], WAIT_MS);
  return count;
};

describe('a connection to Redis', { skip: REDIS_MISSING }, () => {
  test('what is sent while Redis is away is refused, and does not happen once it is back', async (t) => {
    const stage = await setUp(t);
    await stage.redis.kill();
    await until(() => stage.seen.lost > 0);
    assert.match((await refusal(stage, 'first'))?.detail ?? '', /cannot be reached|refuses|no socket/);
    const started = stage.redis.start();
    const refused = ['first'];
    const endMs = performance.now() + WAIT_MS;
    for (let n = 0; stage.seen.ready === 1; n++) {
      assert.ok(performance.now() < endMs, 'it is back in time');
      if (await refusal(stage, `late:${n}`)) refused.push(`late:${n}`);
      await sleep(1);
    }
    await started;
    assert.ok(refused.length > 1);
    assert.equal(await find(stage, refused), 0);
  });

  test('what is sent in the moment of the loss is refused, and does not happen later', async (t) => {
    const stage = await setUp(t);
    const refused: string[] = [];
    const killed = stage.redis.kill();
    // Between the end of the socket and the word of it there are turns of the event loop.
    for (let n = 0; stage.seen.lost === 0; n++) {
      void refusal(stage, `late:${n}`).then((fault) => fault && refused.push(`late:${n}`));
      await new Promise(setImmediate);
    }
    await killed;
    await stage.redis.start();
    await until(() => stage.seen.ready === 2);
    assert.equal(await find(stage, ['none', ...refused]), 0);
  });

  test('what was under way when the connection was lost is not sent again', async (t) => {
    const stage = await setUp(t);
    stage.redis.signal('SIGSTOP');
    assert.match((await refusal(stage, 'late'))?.detail ?? '', /no answer from Redis within 20 ms/);
    // Stopped as it is: woken up it would do it before it ends.
    stage.redis.signal('SIGKILL');
    await stage.redis.restart('SIGKILL');
    await until(() => stage.seen.ready === 2);
    assert.equal(await find(stage, ['late']), 0);
  });

  test('closed where there is no Redis, it lets the process end', () => {
    const module = new URL('../../src/store/redis-connection.js', import.meta.url).href;
    const script = `
      import { connectToRedis } from ${JSON.stringify(module)};
      let closedMs;
      const onLost = () => { closedMs ??= performance.now(); connection.close(); };
      const server = ${JSON.stringify(toServer('redis://127.0.0.1:1'))};
      const connection = connectToRedis(server, { onReady() {}, onLost, onRefused() {} });
      process.on('exit', () => console.log(performance.now() - closedMs));`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], SPAWNED);
    assert.equal(status, 0);
    // 100 ms, and slack for a busy machine; ioredis by itself waits for 2 s.
    assert.ok(Number(stdout) < 1500, stdout);
  });
});
