// What changing the bounds of a store (change-bounds.ts) needs of Redis.
import { StoreUnavailable } from '../core/errors.js';
import type { Digest, Tag } from '../core/key-ring.js';
import type { BoundsEngine } from './change-bounds.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { type RedisState, stateCommands, toBuffers, toState } from './redis-reader.js';
import type { RedisSettings } from './redis-settings.js';
import type { RedisWriter } from './redis-writer.js';
import { extendRevocations } from './store-rules.js';

export interface RedisBoundsDependencies {
  readonly keys: RedisKeys;
  readonly send: (commands: Parameters<RedisConnection['send']>[0]) => ReturnType<RedisConnection['send']>;
  readonly settings: RedisSettings;
  readonly writer: RedisWriter;
  readonly storeTimeOf: (state: RedisState) => number;
}

/** Rows that one step looks at, of each kind. */
const PAGE = 200;
/** Daemons change the settings once an hour: more others than this are not there. */
const MAX_ROUNDS = 20;

export function createRedisBounds(dependencies: RedisBoundsDependencies): BoundsEngine {
  const { keys, send, settings, writer, storeTimeOf } = dependencies;

  /** What has not expired and ends before, soonest first, beyond the first `skip` of it. */
  const findEnding = async (endMs: number, skip: number) => {
    const state = toState(await send(stateCommands(keys)));
    const range = [`(${storeTimeOf(state)}`, `(${endMs}`, 'LIMIT', skip, PAGE] as const;
    const [live, unknown] = await send([
      ['ZRANGEBYSCORE', keys.liveExpiry, ...range],
      ['ZRANGEBYSCORE', keys.unknown, ...range],
    ]);
    const prefix = keys.entry('' as Digest);
    return {
      tags: toBuffers(live).map((tag) => tag as Uint8Array as Tag),
      digests: toBuffers(unknown).map((key) => String(key).slice(prefix.length) as Digest),
    };
  };

  return {
    update: async (step) => {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const state = toState(await send(stateCommands(keys)));
        const storeTimeMs = storeTimeOf(state);
        const admitted = settings.admitWrite(state.settings, storeTimeMs);
        if (state.settings === null || admitted === undefined) await settings.settle(state.settings, storeTimeMs);
        else if (await settings.replace(state.settings, step(admitted, storeTimeMs))) return;
      }
      throw new StoreUnavailable('others keep changing the settings of the store');
    },

    extend: async (endMs) => {
      // A row whose entry has just expired stays where it is: look behind it.
      for (let skip = 0; ; skip += PAGE) {
        const ending = await findEnding(endMs, skip);
        if (ending.tags.length + ending.digests.length === 0) return false;
        const { result: count } = await writer.write((transaction) => extendRevocations(transaction, ending, endMs));
        if (count > 0) return true;
      }
    },
  };
}
