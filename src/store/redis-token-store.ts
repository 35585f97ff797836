// The engine for several daemons: one Redis server. A read is one pipeline; a write is what the rules (store-rules.ts)
// make of what was read, put in place by one script that compares before it writes.
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../core/errors.js';
import type { TokenStore } from '../core/token-store.js';
import { changeBounds } from './change-bounds.js';
import { LIVE_CHUNK } from './page-sizes.js';
import { createRedisBounds } from './redis-bounds.js';
import { connectToRedis, type RedisCommand, type RedisReply } from './redis-connection.js';
import { isDistrust } from './redis-faults.js';
import { createRedisKeys } from './redis-keys.js';
import { createRedisLogWait } from './redis-log-wait.js';
import {
  entriesCommand,
  liveCommand,
  logCommand,
  type RedisState,
  stateCommands,
  toBuffers,
  toLivePage,
  toLog,
  toState,
} from './redis-reader.js';
import type { RedisServer } from './redis-server.js';
import { createRedisSettings } from './redis-settings.js';
import { createRedisTransaction } from './redis-transaction.js';
import { createRedisTrust } from './redis-trust.js';
import { createRedisWriter, lookCommands, NOTHING_READ } from './redis-writer.js';
import { createStoreClock } from './store-clock.js';
import { type StoreSettings, toMeta } from './store-meta.js';
import type { StoreOptions } from './store-options.js';
import { registerEntry, rehearseRegistration, revokeTag, revokeToken } from './store-rules.js';
import { createTurns } from './turns.js';
import { ENTRY_OFFSET, readExpiresAt } from './value-layout.js';

export interface RedisStoreOptions extends Omit<StoreOptions, 'clock'> {
  readonly server: RedisServer;
  /** Longest wait for a read; a write may take five times as long. */
  readonly timeoutMs: number;
  /** The store's time by the clock of Redis, and back. Only tests have another than the same. */
  readonly time?: RedisTime;
}

export interface RedisTime {
  toStoreMs(redisMs: number): number;
  toRedisMs(storeMs: number): number;
}

const SAME_TIME: RedisTime = { toStoreMs: (ms) => ms, toRedisMs: (ms) => ms };
const OPEN_TIMEOUT_MS = 2000;
const OPEN_POLL_MS = 10;
/** A write is repeated when others write the same; given up it would have to be repeated by its caller. */
const WRITE_TIMEOUT_FACTOR = 5;
/**
 * A load that is given up begins again at its first page: its cursor means nothing to a Redis that was started anew, which
 * places its rows otherwise. So a page may take longer than a read, and is not asked for twice.
 */
const LOAD_TIMEOUT_FACTOR = 5;
/** Rounds of one read: a store that keeps vanishing is not one. */
const MAX_ROUNDS = 5;

/** Throws StoreUnavailable, whose `detail` says what to do, when Redis, its settings or the keys are not right. */
export async function openRedisTokenStore(options: RedisStoreOptions): Promise<TokenStore> {
  const { server, timeoutMs, time = SAME_TIME } = options;
  const keys = createRedisKeys(server.keyPrefix);
  let closed = false;
  let redisMs = 0;
  const storeTime = createStoreClock(() => time.toStoreMs(redisMs));
  const storeTimeOf = (state: RedisState): number => {
    redisMs = state.redisMs;
    return storeTime(state.lastStoreTimeMs);
  };

  const trust = createRedisTrust({ ask: () => connection, allowVolatile: server.allowVolatile });
  const connection = connectToRedis(server, {
    onReady: () => void trust.check(),
    onLost: trust.withdraw,
    onRefused: (error) => {
      if (isDistrust(error)) void trust.check();
    },
  });

  const logWait = createRedisLogWait(server, keys);

  const requireOpen = (): void => {
    if (closed) throw new StoreUnavailable('the store is closed');
    trust.require();
  };
  const sendWithin =
    (boundMs: number) =>
    async (commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> => {
      requireOpen();
      return connection.send(commands, boundMs);
    };
  const send = sendWithin(timeoutMs);
  const sendForLoad = sendWithin(timeoutMs * LOAD_TIMEOUT_FACTOR);
  const run: typeof connection.run = async (...call) => {
    requireOpen();
    return connection.run(...call);
  };

  const settings = createRedisSettings({ options, keys, run, timeoutMs: timeoutMs * WRITE_TIMEOUT_FACTOR });
  const sendForWrite = sendWithin(timeoutMs * WRITE_TIMEOUT_FACTOR);
  const writer = createRedisWriter({
    ...{ keys, run, settings, storeTimeOf },
    send: sendForWrite,
    limits: { timeoutMs: timeoutMs * WRITE_TIMEOUT_FACTOR, logEntries: options.logEntries, toRedisMs: time.toRedisMs },
  });

  /** The commands and the state of the store that they met, made anew when it was gone. */
  const readState = async <Result>(
    commands: readonly RedisCommand[],
    parse: (replies: readonly RedisReply[]) => Result | undefined,
    sendThem = send,
  ): Promise<{ readonly result: Result; readonly state: RedisState; readonly settings: StoreSettings }> => {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const replies = await sendThem([...commands, ...stateCommands(keys)]);
      const state = toState(replies.slice(commands.length));
      const result = parse(replies);
      const nowMs = Math.max(time.toStoreMs(state.redisMs), state.lastStoreTimeMs);
      const admitted = settings.admit(state.settings, nowMs);
      if (admitted !== undefined && result !== undefined) return { result, state, settings: admitted };
      // A store that is there keeps its time, and nobody was told another one.
      await settings.settle(state.settings, state.settings === null ? storeTimeOf(state) : nowMs);
    }
    throw new StoreUnavailable('the store keeps vanishing from Redis');
  };

  const inTurn = createTurns();
  const bounds = createRedisBounds({ ...{ keys, settings, writer, storeTimeOf }, send: sendForWrite });

  const ready = async (): Promise<void> => {
    requireOpen();
    await readState([logCommand(keys, undefined)], ([reply]) => toLog(reply, undefined));
  };

  const close = async (): Promise<void> => {
    closed = true;
    trust.stop();
    connection.close();
    logWait.close();
  };

  try {
    await waitForTrust(trust);
    await ready();
  } catch (error) {
    await close();
    throw error;
  }

  const read: TokenStore['read'] = async (digests, cursor) => {
    const commands = [...entriesCommand(keys, digests), logCommand(keys, cursor)];
    const met = await readState(commands, (replies) => {
      const log = toLog(replies[commands.length - 1], cursor);
      const isGone = log === undefined && cursor === undefined;
      return isGone ? undefined : { log, values: digests.length === 0 ? [] : toBuffers(replies[0]) };
    });
    const { log, values } = met.result;
    // Where the log goes on is asked of it only when it has to be known.
    if (log === undefined) return read(digests, undefined);
    const storeTimeMs = storeTimeOf(met.state);
    const entries = values.map((value) => toUnexpired(value, storeTimeMs));
    return { entries, ...log, storeTimeMs, leaseMs: met.settings.leaseMs };
  };

  return {
    read,
    register: (entries) =>
      writer
        .write((transaction) => entries.map((entry) => registerEntry(transaction, entry)))
        .then(({ result }) => result),
    wouldRegister: async (entries) => {
      // Run on nothing, the rules tell what they look at first; they look at nothing else then.
      const blank = createRedisTransaction(keys, NOTHING_READ);
      for (const entry of entries) rehearseRegistration(blank, entry);
      const { commands, toValues } = lookCommands(keys, blank.looked);
      const { result: values, state, settings: met } = await readState(commands, toValues);
      const snapshot = { storeTimeMs: storeTimeOf(state), settings: met, hasRoomForUnknown: true, ...values };
      const view = createRedisTransaction(keys, snapshot);
      return entries.map((entry) => rehearseRegistration(view, entry));
    },
    revokeToken: async (command) => {
      const { result, toRevision } = await inTurn(command.digests[0] ?? '', () =>
        writer.write((transaction) => revokeToken(transaction, command)),
      );
      if (result.outcome === 'exhausted') return result;
      const { outcome, revision, leasesEndInMs, replaced } = result;
      return { outcome, revision: toRevision(revision), leasesEndInMs, replaced };
    },
    revokeTag: async (command) => {
      const { result, toRevision } = await inTurn(Buffer.from(command.tag).toString('hex'), () =>
        writer.write((transaction) => revokeTag(transaction, command)),
      );
      const { revision, leasesEndInMs, beforeMs } = result;
      return { revision: toRevision(revision), leasesEndInMs, beforeMs };
    },

    loadRevocations: async function* () {
      let from = '0';
      do {
        const command = liveCommand(keys, from);
        const { result: page, state } = await readState([command], ([reply]) => toLivePage(reply), sendForLoad);
        const storeTimeMs = storeTimeOf(state);
        const chunk = page.live.filter(({ expiresAtMs }) => expiresAtMs > storeTimeMs);
        // A page of HSCAN is about as long as it was asked to be, and a short hash comes whole.
        for (let start = 0; start < chunk.length; start += LIVE_CHUNK) {
          yield chunk
            .slice(start, start + LIVE_CHUNK)
            .map(({ tag, beforeMs, issuerTag }) => ({ tag, beforeMs, issuerTag }));
        }
        from = page.next;
      } while (from !== '0');
    },

    awaitLog: async (cursor, signal) => {
      requireOpen();
      await logWait.wait(cursor, signal);
    },
    ready,
    meta: async () => {
      const read = await readState([], () => true);
      return toMeta(read.settings, read.state.lastStoreTimeMs);
    },

    changeBounds: (change) => changeBounds(bounds, change),
    close,
  };
}

function toUnexpired(value: Buffer | null, storeTimeMs: number): Uint8Array | undefined {
  if (value === null) return undefined;
  return readExpiresAt(value) > storeTimeMs ? value.subarray(ENTRY_OFFSET) : undefined;
}

async function waitForTrust(trust: ReturnType<typeof createRedisTrust>): Promise<void> {
  const endMs = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    try {
      trust.require();
      return;
    } catch (error) {
      if (performance.now() >= endMs) throw error;
      await sleep(OPEN_POLL_MS);
    }
  }
}
