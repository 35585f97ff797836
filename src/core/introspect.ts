// Answers for one token and for many: digests, one fenced read, the judge. Knows no gRPC.
import { decodeEntry, type Entry } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { Fence, FencedRead } from './fence.js';
import { type Active, type Inactive, judge, type Question } from './judge.js';
import type { Digest, KeyRing } from './key-ring.js';
import { inSlices, type Pace } from './low-priority.js';
import type { Caller } from './policy.js';
import type { ReadBatcher } from './read-batcher.js';
import type { RevocationTable } from './revocation-table.js';
import { type Token, type TokenSha256, tokenSha256 } from './token.js';
import { toAllTags } from './token-tags.js';

export interface IntrospectCommand {
  readonly caller: Caller;
  /** Answer for one of these only; empty = any that the policy allows. */
  readonly audiences: readonly string[];
  /** What a cache needs to know: only of callers that may watch. */
  readonly includeTags?: boolean;
}

export type Verdict =
  | Inactive
  | (Active & {
      /**
       * All that the token belongs to, 8 bytes each, where the caller asked for it and may know: only sealed for the caller
       * (core/tag-seal.ts) may they leave. Without it the answer must not be kept.
       */
      readonly tags?: Uint8Array;
    });

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

/** About a quarter of a millisecond (measured): the longest that a live call waits for work with a pace. */
const SLICE_TOKENS = 100;

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
    const { issuerTag } = keyRing;
    return { caller, audiences, revocations: table, issuerTag, storeTimeMs, serverTimeMs: now() };
  }

  function answer(entry: Entry | undefined, question: Question, sha256: TokenSha256, withTags: boolean): Verdict {
    const verdict = judge(entry, question);
    if (!verdict.active || !withTags) return verdict;
    return { tags: toAllTags(keyRing, sha256, verdict), ...verdict };
  }

  /** The read is under way when this returns; what it returns waits for it, and judges. */
  const ask = (command: IntrospectCommand, items: readonly (Token | IntrospectdError)[]) => {
    const digests: Digest[] = [];
    const hashes = items.map((item) => {
      if (item instanceof IntrospectdError) return item;
      const sha256 = tokenSha256(item);
      digests.push(...keyRing.digests(sha256));
      return sha256;
    });
    const reading = fence.read(digests);
    // Of a call that failed nobody waits for it.
    reading.catch(() => undefined);
    return async (): Promise<readonly (Verdict | IntrospectdError)[]> => {
      const read = await reading;
      const question = toQuestion(command, read);
      const withTags = wantsTags(command);
      let start = 0;
      return hashes.map((sha256) => {
        if (sha256 instanceof IntrospectdError) return sha256;
        const entry = findEntry(read.entries, start, ring);
        start += ring;
        return answer(entry, question, sha256, withTags);
      });
    };
  };

  // Read in order; while one is read, the one before it is judged.
  const askInSlices = async (
    command: IntrospectCommand,
    items: readonly (Token | IntrospectdError)[],
    pace: Pace,
  ): Promise<readonly (Verdict | IntrospectdError)[]> => {
    const answers: (Verdict | IntrospectdError)[] = [];
    let judgeLast: ReturnType<typeof ask> | undefined;
    for await (const slice of inSlices(items, SLICE_TOKENS, pace)) {
      const judgeNext = ask(command, slice);
      if (judgeLast !== undefined) answers.push(...(await judgeLast()));
      judgeLast = judgeNext;
    }
    if (judgeLast !== undefined) answers.push(...(await judgeLast()));
    return answers;
  };

  return {
    one: async (command, token) => {
      const sha256 = tokenSha256(token);
      const start = batcher.add(keyRing.digests(sha256));
      const read = await batcher.read();
      return answer(findEntry(read.entries, start, ring), toQuestion(command, read), sha256, wantsTags(command));
    },
    many: (command, items, pace) => (pace === undefined ? ask(command, items)() : askInSlices(command, items, pace)),
  };
}

function wantsTags({ caller, includeTags = false }: IntrospectCommand): boolean {
  return includeTags && caller.permissions.has('watch');
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
