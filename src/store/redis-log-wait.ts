// Waits for the log of Redis to grow: a blocking read, on a connection that is made for the first who waits and used for
// nothing else, since all that is sent behind it would wait too.
import type { StoreUnavailable } from '../core/errors.js';
import type { Cursor } from '../core/token-store.js';
import { connectToRedis, type RedisConnection } from './redis-connection.js';
import { parseRedisCursor } from './redis-cursor.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisServer } from './redis-server.js';

export interface RedisLogWait {
  /** As TokenStore.awaitLog. Those who wait at the same time share one read and end with it. */
  wait(cursor: Cursor, signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Connected {
  readonly connection: RedisConnection;
  /** Rejects with StoreUnavailable once it is lost. */
  readonly ready: () => Promise<void>;
}

/** A log that was removed does not grow past where it was: who waits looks again. Below SILENCE_MS of the connection. */
const BLOCK_MS = 1000;
const TIMEOUT_MS = 1800;

export function createRedisLogWait(server: RedisServer, keys: RedisKeys): RedisLogWait {
  let used: Connected | undefined;
  let reading: Promise<void> | undefined;

  /** A connection that is lost is given up: who waits next makes another one. */
  const connect = (): Connected => {
    let connected: Connected | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      const onLost = (fault: StoreUnavailable): void => {
        if (used === connected) used = undefined;
        connected?.connection.close();
        reject(fault);
      };
      connected = {
        connection: connectToRedis(server, { onReady: resolve, onLost, onRefused: () => undefined }),
        ready: () => ready,
      };
    });
    ready.catch(() => undefined);
    if (connected === undefined) throw new Error('a promise runs its executor at once');
    return connected;
  };

  const read = async (id: string): Promise<void> => {
    used ??= connect();
    const { connection, ready } = used;
    await ready();
    await connection.send([['XREAD', 'COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', keys.log, id]], TIMEOUT_MS);
  };

  return {
    wait: async (cursor, signal) => {
      const position = parseRedisCursor(cursor);
      if (position === undefined || signal.aborted) return;
      reading ??= read(position.id).finally(() => {
        reading = undefined;
      });
      await untilAborted(reading, signal);
    },
    close: () => used?.connection.close(),
  };
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
