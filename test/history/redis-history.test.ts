import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRedisKeys } from '../../src/store/redis-keys.js';
import { REDIS_MISSING, startRedis } from '../support/redis-server.js';
import { createTurns } from './faults.js';
import { BY } from './history.js';
import { assertHistory, HISTORY } from './promises.js';
import { runHistory } from './run-history.js';
import { startStage } from './stage.js';

const KEYS = createRedisKeys('introspectd:');

describe('three daemons on one Redis', { skip: REDIS_MISSING }, () => {
  it('keep the promises while faults come', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.close());
    const store = { kind: 'redis', url: redis.url };
    const stage = await startStage({ store, leaseMs: HISTORY.leaseMs, logEntries: 1000 });
    t.after(() => stage.close());
    const inTurn = createTurns(stage.targets.length);
    const trim = () => redis.admin.xtrim(KEYS.log, 'MAXLEN', 1);
    const result = await runHistory({
      ...HISTORY,
      stage,
      by: BY,
      faults: ({ cutCache }) => [
        { name: 'kill -9 of a daemon', pauseMs: 3000, inject: () => inTurn(stage.kill) },
        {
          name: 'SIGSTOP of a daemon for longer than a lease',
          pauseMs: 4000,
          // What it missed is gone from the log when it goes on.
          inject: () => inTurn((daemon) => Promise.all([stage.freeze(daemon, HISTORY.freezeMs), trimLater(trim)])),
        },
        { name: 'the log trimmed to one entry', pauseMs: 3000, inject: trim },
        {
          name: 'CLIENT KILL of all connections',
          pauseMs: 4000,
          inject: () => redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal'),
        },
        { name: 'a watch cut', pauseMs: 7000, inject: async () => cutCache('reset') },
        { name: 'a watch that hears nothing', pauseMs: 8000, inject: async () => cutCache('silence') },
      ],
    });
    assertHistory(t, result);
  });
});

async function trimLater(trim: () => Promise<unknown>): Promise<void> {
  await sleep(HISTORY.freezeMs / 2);
  await trim();
}
