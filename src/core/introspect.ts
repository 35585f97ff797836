// Answers for one token and for many: digests, one fenced read, the judge. Knows no gRPC.
import { decodeEntry, type Entry } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { Fence, FencedRead } from './fence.js';
import { judge, type Verdict } from './judge.js';
import type { KeyRing } from './key-ring.js';
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
  /** In order; an item that is an error stays that error. A store outage rejects the call. */
  many(
    command: IntrospectCommand,
    items: readonly (Token | IntrospectdError)[],
  ): Promise<readonly (Verdict | IntrospectdError)[]>;
}

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

  function answer(command: IntrospectCommand, read: FencedRead, start: number): Verdict {
    const entry = findEntry(read.entries, start, ring);
    return judge(entry, {
      caller: command.caller,
      audiences: command.audiences,
      revocations: table,
      storeTimeMs: read.storeTimeMs,
      serverTimeMs: now(),
    });
  }

  return {
    one: async (command, token) => {
      const start = batcher.add(keyRing.digests(tokenSha256(token)));
      return answer(command, await batcher.read(), start);
    },
    many: async (command, items) => {
      const tokens = items.filter((item): item is Token => !(item instanceof IntrospectdError));
      const read = await fence.read(tokens.flatMap((token) => keyRing.digests(tokenSha256(token))));
      let start = -ring;
      return items.map((item) => (item instanceof IntrospectdError ? item : answer(command, read, (start += ring))));
    },
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
