// Answers for one token and for many: digests, one fenced read, the judge. Knows no gRPC.
import { decodeEntry, type Entry } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { Fence, FencedRead } from './fence.js';
import { judge, type Question, type Verdict } from './judge.js';
import type { Digest, KeyRing } from './key-ring.js';
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

  function toQuestion({ caller, audiences }: IntrospectCommand, { storeTimeMs }: FencedRead): Question {
    return { caller, audiences, revocations: table, storeTimeMs, serverTimeMs: now() };
  }

  const askAtOnce: Introspect['many'] = async (command, items) => {
    const digests: Digest[] = [];
    for (const item of items) {
      if (!(item instanceof IntrospectdError)) digests.push(...keyRing.digests(tokenSha256(item)));
    }
    const read = await fence.read(digests);
    const question = toQuestion(command, read);
    let start = 0;
    return items.map((item) => {
      if (item instanceof IntrospectdError) return item;
      const entry = findEntry(read.entries, start, ring);
      start += ring;
      return judge(entry, question);
    });
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
    one: async (command, token) => {
      const start = batcher.add(keyRing.digests(tokenSha256(token)));
      const read = await batcher.read();
      return judge(findEntry(read.entries, start, ring), toQuestion(command, read));
    },
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
