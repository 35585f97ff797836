// Which part of the input this process takes, of as many as there are. The parts are the same on every machine and every day.
import { InvalidArgumentError } from 'commander';

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

const MAX_SHARDS = 100_000;

/** Such as 0/4. */
export function parseShardOption(text: string): Shard {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  const isShard = index !== undefined && shard.of >= 1 && shard.of <= MAX_SHARDS && shard.index < shard.of;
  if (!isShard) throw new InvalidArgumentError('Expected INDEX/COUNT, from 0/COUNT on, such as 0/4.');
  return shard;
}

/** `place` is the number of a file in its folder, from 0, or of a line in the only file. */
export function isInShard(shard: Shard | undefined, place: number): boolean {
  return shard === undefined || place % shard.of === shard.index;
}
