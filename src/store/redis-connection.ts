// One connection to one server. Fails fast, sends nothing twice and nothing late: no queue while there is no
// connection, no resending after it is back, a bound on every wait.
import { isIP } from 'node:net';
import { Command, Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailable } from '../core/errors.js';
import { isNoScript, toRedisFault } from './redis-faults.js';
import type { RedisScript } from './redis-scripts.js';
import type { RedisServer } from './redis-server.js';

export type RedisArgument = string | number | Buffer;
export type RedisCommand = readonly [name: string, ...args: readonly RedisArgument[]];
/** Strings are bytes. */
export type RedisReply = null | number | Buffer | readonly RedisReply[];

export interface RedisConnection {
  /** In one piece, in order; rejects with StoreUnavailable when any of them fails. What comes later than the bound is dropped. */
  send(commands: readonly RedisCommand[], timeoutMs: number): Promise<readonly RedisReply[]>;
  run(script: RedisScript, call: ScriptCall, timeoutMs: number): Promise<RedisReply>;
  close(): void;
}

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly RedisArgument[];
}

export interface RedisConnectionEvents {
  /** The server is there and has loaded its data; nothing was asked of it yet. */
  readonly onReady: () => void;
  /** Also when a connection could not be made: why is in the fault. */
  readonly onLost: (fault: StoreUnavailable) => void;
  /** What a command was refused with, before it is turned into StoreUnavailable. */
  readonly onRefused: (error: unknown) => void;
}

const CONNECT_TIMEOUT_MS = 1000;
/** A server that says nothing for so long is given up, together with what was asked of it. */
const SILENCE_MS = 2000;
/** ioredis waits so long for the other side to close, also where there is no connection, and with it the process. */
const CLOSE_TIMEOUT_MS = 100;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 400;

export function connectToRedis(server: RedisServer, { onReady, onLost, onRefused }: RedisConnectionEvents) {
  const redis = new Redis(toOptions(server));
  let lastError: unknown;
  redis.on('error', (error: unknown) => {
    lastError = error;
    onLost(toRedisFault(error));
  });
  redis.on('close', () => onLost(toRedisFault(lastError)));
  redis.on('ready', () => {
    lastError = undefined;
    onReady();
  });

  // Not by redis.pipeline(): each has an accessor of its own, and V8 keeps it, with commands and replies, until the next full
  // collection (docs/adr/0028).
  const write = (commands: readonly RedisCommand[]): readonly Promise<RedisReply>[] => {
    const { stream } = redis;
    stream?.cork();
    try {
      // With a stream nothing is sent before the connection is ready.
      return commands.map(
        ([name, ...args]) => redis.sendCommand(new Command(name, args, AS_BYTES), stream) as Promise<RedisReply>,
      );
    } finally {
      stream?.uncork();
    }
  };

  const send: RedisConnection['send'] = async (commands, timeoutMs) => {
    try {
      return await bound(Promise.all(write(commands)), timeoutMs);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      // Nothing was sent, and that says nothing: why there is no connection does.
      if (redis.status !== 'ready') throw toRedisFault(lastError ?? error);
      onRefused(error);
      // The caller tells this one apart, and nobody else sees it.
      throw isNoScript(error) ? NO_SCRIPT : toRedisFault(error);
    }
  };

  const connection: RedisConnection = {
    send,
    run: async ({ text, sha1 }, { keys, args }, timeoutMs) => {
      const rest = [keys.length, ...keys, ...args];
      try {
        const [reply = null] = await send([['EVALSHA', sha1, ...rest]], timeoutMs);
        return reply;
      } catch (error) {
        if (error !== NO_SCRIPT) throw error;
        const [reply = null] = await send([['EVAL', text, ...rest]], timeoutMs);
        return reply;
      }
    },
    close: () => redis.disconnect(),
  };
  return connection;
}

const NO_SCRIPT = new StoreUnavailable('Redis does not know the script');

const AS_BYTES = { replyEncoding: null } as const;

const FAIL_FAST = {
  protocol: 2 as const,
  // A command that finds no connection is refused at once: whoever sent it is told so, and it must not happen later.
  enableOfflineQueue: false,
  // The same for what was under way when the connection was lost: these two end it, with the connection.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SILENCE_MS,
  disconnectTimeout: CLOSE_TIMEOUT_MS,
  disableClientInfo: true,
  retryStrategy: (times: number) => Math.min(times * FIRST_RETRY_MS, LAST_RETRY_MS),
} satisfies RedisOptions;

function toOptions({ url, username, password, tls }: RedisServer): Omit<RedisOptions, 'replyMapping'> {
  const { protocol, hostname, port, pathname } = new URL(url);
  const login = {
    ...FAIL_FAST,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
  if (protocol === 'unix:') return { ...login, path: decodeURIComponent(pathname) };
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = protocol === 'rediss:' || tls !== undefined;
  return {
    ...login,
    host,
    port: port === '' ? 6379 : Number(port),
    db: Number(pathname.slice(1)),
    ...(secure ? { tls: { ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) } } : {}),
  };
}

async function bound<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(`no answer from Redis within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
