// Answers for one token and for many: digests, one fenced read, the judge. Knows no gRPC.
import { decodeEntry, type Entry } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { Fence, FencedRead } from './fence.js';
import { judge, type Verdict } from './judge.js';
import type { KeyRing } from './key-ring.js';
import { inSlices, type Pace } from './low-priority.js';
import type { Caller } from './policy.js';
import type { ReadBatcher } from './read-batcher.js';
import type { RevocationTable } from './revocation-table.js';
import { type Token, tokenSha256 } from './token.js';

export interface IntrospectCommand {
  readonly caller: Caller;
  /** Answer for one of these only; empty = any that the policy allows. */
  readonly audiences: readonly string[];
}

export interface Introspect {
  /** Rejects with StoreUnavailable when the store gives no proof in time. */
  one(command: IntrospectCommand, token: Token): Promise<Verdict>;
  /**
   * In order; an item that is an error stays that error. A store outage rejects the call. With a pace, in slices: what
   * yields to live calls.
   */
  many(
    command: IntrospectCommand,
    items: readonly (Token | IntrospectdError)[],
    pace?: Pace,
  ): Promise<readonly (Verdict | IntrospectdError)[]>;
}

/** About half a millisecond (measured): the longest that a live call waits for work with a pace. */
const SLICE_TOKENS = 200;

export interface IntrospectDependencies {
  readonly keyRing: KeyRing;
  readonly fence: Pick<Fence, 'read'>;
  readonly batcher: ReadBatcher;
  readonly table: RevocationTable;
  /** Server time, ms. */
  readonly now: () => number;
}

export function createIntrospect({ keyRing, fence, batcher, table, now }: IntrospectDependencies): Introspect {
  const ring = keyRing.checks.digests.length;

  function answer(command: IntrospectCommand, read: FencedRead, index: number): Verdict {
    const entry = findEntry(read.entries, index * ring, ring);
    return judge(entry, {
      caller: command.caller,
      audiences: command.audiences,
      revocations: table,
      storeTimeMs: read.storeTimeMs,
      serverTimeMs: now(),
    });
  }

  const askAtOnce: Introspect['many'] = async (command, items) => {
    const tokens = items.filter((item): item is Token => !(item instanceof IntrospectdError));
    const read = await fence.read(tokens.flatMap((token) => keyRing.digests(tokenSha256(token))));
    let index = 0;
    return items.map((item) => (item instanceof IntrospectdError ? item : answer(command, read, index++)));
  };

  // One after the other: what a later slice says is never older than what one before it said.
  const askInSlices = async (
    command: IntrospectCommand,
    items: readonly (Token | IntrospectdError)[],
    pace: Pace,
  ): Promise<readonly (Verdict | IntrospectdError)[]> => {
    const answers: (Verdict | IntrospectdError)[] = [];
    for await (const slice of inSlices(items, SLICE_TOKENS, pace)) answers.push(...(await askAtOnce(command, slice)));
    return answers;
  };

  return {
    one: async (command, token) => answer(command, await batcher.read(keyRing.digests(tokenSha256(token))), 0),
    many: (command, items, pace) =>
      pace === undefined ? askAtOnce(command, items) : askInSlices(command, items, pace),
  };
}

// A token may stand under several digests while keys are rotated: a tombstone under any of them wins.
function findEntry(entries: FencedRead['entries'], start: number, count: number): Entry | undefined {
  let found: Entry | undefined;
  for (let index = start; index < start + count; index++) {
    const bytes = entries[index];
    if (bytes === undefined) continue;
    const entry = decodeEntry(bytes);
    if (entry.kind === 'tombstone') return entry;
    found ??= entry;
  }
  return found;
}
