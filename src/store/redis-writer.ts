// Writes: look, let the rules decide, commit if nothing they looked at has changed; otherwise again.
import { StoreUnavailable } from '../core/errors.js';
import type { Digest } from '../core/key-ring.js';
import type { Cursor } from '../core/token-store.js';
import type { RedisCommand, RedisConnection, RedisReply } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { entriesCommand, type RedisState, stateCommands, toBuffers, toState } from './redis-reader.js';
import { COMMIT_ALWAYS_SCRIPT, COMMIT_SCRIPT } from './redis-scripts.js';
import type { RedisSettings } from './redis-settings.js';
import { createRedisTransaction, type RedisSnapshot, type RedisTransaction } from './redis-transaction.js';
import { createSettings } from './store-meta.js';
import type { StoreTransaction } from './store-transaction.js';

export interface RedisWriter {
  /** `command` may run several times, and only the last run counts. Durable as Redis is when this resolves. */
  write<Result>(
    command: (transaction: StoreTransaction) => Result,
  ): Promise<{ readonly result: Result; readonly toRevision: (placeholder: Cursor) => Cursor }>;
}

export interface RedisWriterDependencies {
  readonly keys: RedisKeys;
  readonly send: (commands: readonly RedisCommand[]) => Promise<readonly RedisReply[]>;
  readonly run: RedisConnection['run'];
  readonly settings: RedisSettings;
  readonly storeTimeOf: (state: RedisState) => number;
  readonly limits: {
    readonly timeoutMs: number;
    readonly logEntries: number;
    readonly toRedisMs: (storeMs: number) => number;
  };
}

/** A store that keeps vanishing is not one. */
const MAX_ROUNDS = 5;

interface Looked {
  readonly snapshot: RedisSnapshot;
  readonly settings: Buffer;
  readonly redisMs: number;
}

export function createRedisWriter(dependencies: RedisWriterDependencies): RedisWriter {
  const { keys, send, run, settings, storeTimeOf, limits } = dependencies;

  const look = async (looked: RedisTransaction['looked'], hasRoomForUnknown: boolean): Promise<Looked> => {
    const { commands, toValues } = lookCommands(keys, looked);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const replies = await send([...commands, ...stateCommands(keys)]);
      const state = toState(replies.slice(commands.length));
      const storeTimeMs = storeTimeOf(state);
      const admitted = settings.admitWrite(state.settings, storeTimeMs);
      if (state.settings === null || admitted === undefined) {
        await settings.settle(state.settings, storeTimeMs);
        continue;
      }
      const snapshot = { storeTimeMs, settings: admitted, hasRoomForUnknown, ...toValues(replies) };
      return { snapshot, settings: state.settings, redisMs: state.redisMs };
    }
    throw new StoreUnavailable('the store keeps vanishing from Redis');
  };

  const commit = async (transaction: RedisTransaction, looked: Looked, deadlineMs: number) => {
    const { logEntries, toRedisMs, timeoutMs } = limits;
    const call = transaction.toCall({ settings: looked.settings, deadlineMs, logEntries, toRedisMs });
    const script = transaction.takesAway() ? COMMIT_ALWAYS_SCRIPT : COMMIT_SCRIPT;
    const [outcome, ...ids] = toBuffers(await run(script, call, timeoutMs));
    return { outcome: String(outcome), ids: ids.flatMap((id) => id ?? []) };
  };

  return {
    write: async (command) => {
      const { timeoutMs } = limits;
      const endMs = performance.now() + timeoutMs;
      let hasRoom = true;
      let transaction = createRedisTransaction(keys, NOTHING_READ);
      // Run on nothing, the rules tell what they look at first.
      command(transaction);
      let looked = await look(transaction.looked, hasRoom);
      const firstMs = looked.redisMs;
      while (performance.now() < endMs) {
        transaction = createRedisTransaction(keys, looked.snapshot);
        const result = command(transaction);
        if (transaction.isComplete()) {
          // Whoever waits has given up by then: a write that Redis finds later in its buffers must not happen.
          const { outcome, ids } = await commit(transaction, looked, firstMs + timeoutMs);
          const done = transaction;
          if (outcome === 'ok') return { result, toRevision: (placeholder) => done.toRevision(placeholder, ids) };
          if (outcome === 'late') break;
          if (outcome === 'full') hasRoom = false;
        }
        looked = await look(transaction.looked, hasRoom);
      }
      throw new StoreUnavailable('Redis was too slow for a write, or others kept writing the same; it did not happen');
    },
  };
}

/** What reads all that was looked at, and what the replies say of it. */
export function lookCommands(keys: RedisKeys, looked: RedisTransaction['looked']) {
  const digests: readonly Digest[] = [...looked.digests];
  const tags = [...looked.tags];
  const live: readonly RedisCommand[] =
    tags.length === 0 ? [] : [['HMGET', keys.live, ...tags.map((tag) => Buffer.from(tag, 'hex'))]];
  const commands = [...entriesCommand(keys, digests), ...live];
  const toValues = (replies: readonly RedisReply[]): Pick<RedisSnapshot, 'entries' | 'live'> => {
    const values = digests.length === 0 ? [] : toBuffers(replies[0]);
    const liveValues = tags.length === 0 ? [] : toBuffers(replies[commands.length - 1]);
    return {
      entries: new Map(digests.map((digest, index) => [digest, values[index] ?? null])),
      live: new Map(tags.map((tag, index) => [tag, liveValues[index] ?? null])),
    };
  };
  return { commands, toValues };
}

export const NOTHING_READ: RedisSnapshot = {
  storeTimeMs: 0,
  settings: createSettings(
    { keyChecks: { tag: '', digests: [] }, defaults: { maxTokenTtlMs: 0, leaseMs: 0, partitions: 1 } },
    0,
  ),
  entries: new Map(),
  live: new Map(),
  hasRoomForUnknown: true,
};
