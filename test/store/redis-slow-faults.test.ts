// A Redis that is there and does not do its work: each kind as a row. While it lasts every call ends in time with
// StoreUnavailable; afterwards the first answer is right.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../../src/core/errors.js';
import { startCuttingProxy } from '../support/cutting-proxy.js';
import { REDIS_MISSING } from '../support/redis-server.js';
import { digestOf, makeRevoke } from './fixtures.js';
import {
  assertRecovers,
  assertUnavailable,
  live,
  open,
  readA,
  type Stage,
  setUp,
  untilUnavailable,
  WRITE_ANSWER_MS,
} from './redis-fault-stage.js';
import { toServer } from './redis-harness.js';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];
/** Longer than any bound of the engine, and ended by the test where it can be. */
const LONG_MS = 4000;

interface Fault {
  readonly name: string;
  readonly settings?: readonly string[];
  begin(stage: Stage): Promise<unknown>;
  end(stage: Stage): Promise<unknown>;
  /** Reads go on while it lasts. */
  readonly writesOnly?: true;
  readonly detail?: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'CLIENT PAUSE ALL',
    begin: ({ redis }) => redis.admin.call('CLIENT', 'PAUSE', LONG_MS, 'ALL'),
    end: ({ redis }) => redis.admin.call('CLIENT', 'UNPAUSE'),
  },
  {
    name: 'CLIENT PAUSE WRITE',
    begin: ({ redis }) => redis.admin.call('CLIENT', 'PAUSE', LONG_MS, 'WRITE'),
    end: ({ redis }) => redis.admin.call('CLIENT', 'UNPAUSE'),
    writesOnly: true,
  },
  {
    name: 'a script of somebody else that does not end',
    settings: [...DURABLE, '--busy-reply-threshold', '50'],
    begin: async ({ redis }) => {
      const other = redis.admin.duplicate();
      other.on('error', () => undefined);
      void other
        .eval('while true do end', 0)
        .catch(() => undefined)
        .finally(() => other.disconnect());
    },
    end: ({ redis }) => redis.admin.script('KILL'),
    detail: /busy|no answer/,
  },
  {
    name: 'too few replicas for a write',
    begin: ({ redis }) => redis.admin.config('SET', 'min-replicas-to-write', '1'),
    end: ({ redis }) => redis.admin.config('SET', 'min-replicas-to-write', '0'),
    writesOnly: true,
    detail: /NOREPLICAS/,
  },
  {
    name: 'a password that was set under us',
    begin: async ({ redis }) => {
      await redis.admin.config('SET', 'requirepass', 'x');
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: ({ redis }) => redis.admin.config('SET', 'requirepass', ''),
    detail: /asks for a password/,
  },
  {
    name: 'no more clients let in',
    begin: async ({ redis }) => {
      await redis.admin.config('SET', 'maxclients', '1');
      await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    end: ({ redis }) => redis.admin.config('SET', 'maxclients', '100'),
  },
  {
    name: 'the scripts may not be run',
    begin: ({ redis }) => redis.admin.acl('SETUSER', 'default', '-eval', '-evalsha'),
    end: ({ redis }) => redis.admin.acl('SETUSER', 'default', '+@all'),
    writesOnly: true,
    detail: /refuses a command/,
  },
  {
    name: 'the keys may not be touched',
    begin: ({ redis }) => redis.admin.acl('SETUSER', 'default', 'resetkeys', '~other:*'),
    end: ({ redis }) => redis.admin.acl('SETUSER', 'default', 'allkeys'),
    detail: /refuses a command/,
  },
];

describe('a Redis that is there and fails', { skip: REDIS_MISSING }, () => {
  for (const fault of FAULTS) {
    test(fault.name, async (t) => {
      const stage = await setUp(t, fault.settings);
      await fault.begin(stage);
      if (fault.writesOnly === undefined) {
        await untilToldWhy(stage, fault.detail);
        await assertUnavailable(() => readA(stage), fault.detail);
      } else {
        assert.ok((await readA(stage)).entries[0], 'reads go on');
      }
      const writes = [() => stage.store.register([live('b')]), () => stage.store.revokeToken(makeRevoke('a'))];
      await Promise.all(writes.map((write) => assertUnavailable(write, fault.detail, WRITE_ANSWER_MS)));
      await fault.end(stage);
      // A record still: a write that was refused does not happen later.
      await assertRecovers(stage, (entry) => entry?.[0] === 1);
      assert.deepEqual((await stage.store.read([digestOf('b')], stage.cursor)).entries, [undefined]);
    });
  }

  test('DEBUG SLEEP: the reply comes too late and is not listened to', async (t) => {
    const stage = await setUp(t, [...DURABLE, '--enable-debug-command', 'yes']);
    const sleeping = stage.redis.admin.call('DEBUG', 'SLEEP', '1');
    await untilUnavailable(() => readA(stage));
    await sleeping;
    await assertRecovers(stage);
  });

  test('still LOADING after a restart: unavailable, then all is there', async (t) => {
    const stage = await setUp(t, [
      ...DURABLE,
      '--key-load-delay',
      '10000',
      '--loading-process-events-interval-bytes',
      '1024',
    ]);
    const filler = stage.redis.admin.pipeline();
    for (let index = 0; index < 100; index++) filler.set(`other:${index}`, 'x'.repeat(100));
    await filler.exec();
    // Into the dump in front of the append-only file, whose loading the delay is for.
    await stage.redis.admin.bgrewriteaof();
    await untilRewritten(stage);
    await stage.redis.kill();
    const started = stage.redis.start();
    while (!(await ping(stage)).startsWith('-LOADING')) await sleep(5);
    await assertUnavailable(() => readA(stage));
    await assertUnavailable(() => stage.store.revokeToken(makeRevoke('a')), /./, WRITE_ANSWER_MS);
    assert.match(await ping(stage), /^-LOADING/);
    await started;
    await assertRecovers(stage);
  });

  test('cut after any number of bytes of a reply', async (t) => {
    const stage = await setUp(t);
    const proxy = await startCuttingProxy(stage.redis.socket);
    t.after(() => proxy.close());
    const store = await open(toServer(`redis://127.0.0.1:${proxy.port}`));
    t.after(() => store.close());
    for (const bytes of [1, 2, 3, 5, 8, 60, 120, 180]) {
      proxy.cutAfterBytes(bytes);
      await assertUnavailable(() => store.read([digestOf('a')], stage.cursor));
      proxy.cutAfterBytes(undefined);
      await assertRecovers({ ...stage, store });
    }
  });

  test('half-open: a connection that swallows all, while reads and writes wait', async (t) => {
    const stage = await setUp(t);
    const proxy = await startCuttingProxy(stage.redis.socket);
    t.after(() => proxy.close());
    const store = await open(toServer(`redis://127.0.0.1:${proxy.port}`));
    t.after(() => store.close());
    proxy.swallow('all');
    await assertUnavailable(() => readA({ ...stage, store }));
    await assertUnavailable(() => store.revokeToken(makeRevoke('a')), /./, WRITE_ANSWER_MS);
    proxy.swallow('nothing');
    await assertRecovers({ ...stage, store }, (entry) => entry?.[0] === 1);
  });

  const STRANGERS: readonly (readonly [name: string, greet: (socket: Socket) => void])[] = [
    ['says nothing', () => undefined],
    ['closes at once', (socket) => socket.end()],
    ['speaks HTTP', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['says OK to everything', (socket) => socket.on('data', () => socket.write('+OK\r\n'))],
  ];
  for (const [name, greet] of STRANGERS) {
    test(`a server that ${name}: it does not open`, async (t) => {
      const port = await startStranger(t, greet);
      await assert.rejects(open(toServer(`redis://127.0.0.1:${port}`)), StoreUnavailable);
    });
  }
});

/** The first errors after a connection was cut say that it was cut. */
async function untilToldWhy(stage: Stage, detail = /./): Promise<void> {
  const endMs = performance.now() + LONG_MS;
  while (!detail.test((await untilUnavailable(() => readA(stage))).detail)) {
    assert.ok(performance.now() < endMs, 'why was never told');
    await sleep(10);
  }
}

/** What it says to a new connection; nothing when there is none to be had. */
async function ping({ redis }: Stage): Promise<string> {
  const socket = createConnection(redis.socket);
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString();
  } catch {
    return '';
  } finally {
    socket.destroy();
  }
}

async function untilRewritten({ redis }: Stage): Promise<void> {
  for (;;) {
    const info = await redis.admin.info('persistence');
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return;
  }
}

async function startStranger(t: TestContext, greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
