// What a caller is told of the revocation log: the entries of its issuers, under tags that only it has.
import type { Tag } from './key-ring.js';
import type { Caller } from './policy.js';
import type { TagSeal } from './tag-seal.js';
import type { Cursor, LogEntry } from './token-store.js';

/** Some entries of the log as one message, as it is sent: the same bytes for all who are told the same. */
export interface WatchEvents {
  readonly message: Buffer;
  /** How many there are in it. */
  readonly count: number;
}

export interface CallerView {
  /** Undefined = none of them is of an issuer of the caller. */
  encode(entries: readonly LogEntry[]): WatchEvents | undefined;
  /** Call it once, when the view is not needed any more. */
  close(): void;
}

export interface CallerViews {
  /** Callers of the same name and issuers share one view, and with it every message. */
  open(caller: Pick<Caller, 'name' | 'issuers'>): CallerView;
}

export interface EventFields {
  /** Sealed, concatenated. */
  readonly tags: Uint8Array;
  readonly beforeMs: readonly number[];
  /** Where the last of them stands. */
  readonly revision: Cursor;
}

export interface CallerViewsDependencies {
  readonly issuerTag: (iss: string) => Tag;
  readonly sealTags: TagSeal;
  readonly encodeEvents: (events: EventFields) => Buffer;
}

type Encode = CallerView['encode'];

export function createCallerViews(dependencies: CallerViewsDependencies): CallerViews {
  const shared = new Map<string, { readonly encode: Encode; users: number }>();
  return {
    open: (caller) => {
      const key = JSON.stringify([caller.name, ...[...caller.issuers].sort()]);
      const view = shared.get(key) ?? { encode: createEncode(dependencies, caller), users: 0 };
      shared.set(key, view);
      view.users += 1;
      return {
        encode: view.encode,
        close: () => {
          view.users -= 1;
          if (view.users === 0) shared.delete(key);
        },
      };
    },
  };
}

function createEncode(
  { issuerTag, sealTags, encodeEvents }: CallerViewsDependencies,
  { name, issuers }: Pick<Caller, 'name' | 'issuers'>,
): Encode {
  const seen = new Set([...issuers].map((iss) => toKey(issuerTag(iss))));
  let last: { readonly entries: readonly LogEntry[]; readonly events: WatchEvents | undefined } | undefined;

  const encode: Encode = (entries) => {
    // Tokens that were never registered have no issuer, and so nobody who is told of them.
    const own = entries.filter(({ issuerTag: tag }) => seen.has(toKey(tag)));
    const end = own.at(-1);
    if (end === undefined) return undefined;
    const tags = sealTags(name, Buffer.concat(own.map(({ tag }) => tag)));
    const beforeMs = own.map((entry) => entry.beforeMs);
    return { message: encodeEvents({ tags, beforeMs, revision: end.cursor }), count: own.length };
  };

  return (entries) => {
    if (last?.entries !== entries) last = { entries, events: encode(entries) };
    return last.events;
  };
}

function toKey(tag: Tag): string {
  return Buffer.from(tag.buffer, tag.byteOffset, tag.byteLength).toString('latin1');
}
