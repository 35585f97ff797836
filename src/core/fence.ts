// Every read brings the revocation table up to date in the same round trip as the entries, so that an answer is never
// older than the log it was read with. DESIGN: a reset discards what was sent before it; the cursor never moves back.
// It is also the one reader of the log: what watchers are told is what these reads brought, each entry once, in order.
import { StoreUnavailable } from './errors.js';
import type { Digest } from './key-ring.js';
import type { RevocationTable } from './revocation-table.js';
import type { Cursor, LogEntry, StoreRead, TokenStore } from './token-store.js';

/** Entries, and a table that knows every revocation that was in the log when they were read. */
export interface FencedRead {
  readonly entries: StoreRead['entries'];
  readonly storeTimeMs: number;
  /** What may be granted to a cache that was told all that the log said before this read was done. */
  readonly leaseMs: number;
}

export interface Fence {
  /**
   * Rejects with StoreUnavailable when the store fails, or keeps resetting. When it resolves, the listener was told of
   * everything that was in the log when the read began.
   */
  read(digests: readonly Digest[]): Promise<FencedRead>;
  /** The entry of the log that the table stands on; undefined before the first load. */
  readonly position: Cursor | undefined;
}

/** Told what the log says; must not throw. */
export interface LogListener {
  /** The entries after the last one told, in the order of the log; at least one. */
  onEntries(entries: readonly LogEntry[]): void;
  /** Nobody can tell which entries there were since. It goes on after this one. */
  onReset(position: Cursor): void;
}

export interface FenceDependencies {
  readonly store: Pick<TokenStore, 'read' | 'loadRevocations' | 'meta'>;
  readonly table: RevocationTable;
  readonly listener?: LogListener;
}

// Each attempt is spent by a reset, by a full page of the log, or by another read that was ahead of this one.
const MAX_ATTEMPTS = 1000;
const EXPIRE_EVERY_MS = 60_000;

export function createFence({ store, table, listener }: FenceDependencies): Fence {
  let cursor: Cursor | undefined;
  let epoch = 0;
  let reloading: Promise<void> | undefined;
  let expiredAtMs = 0;
  /** Of the pass over the table that is under way. */
  let overMs: number | undefined;

  async function read(digests: readonly Digest[]): Promise<FencedRead> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (reloading !== undefined) await reloading;
      const epochAtSend = epoch;
      const cursorAtSend = cursor;
      const reply = await store.read(digests, cursorAtSend);
      if (epochAtSend !== epoch || reloading !== undefined) continue;
      if (reply.reset) {
        reloading = reload(reply);
        await reloading;
        continue;
      }
      const broad = reply.revocations.filter(({ kind }) => kind === 'tag');
      table.apply(broad, reply.storeTimeMs);
      if (!advance(reply, cursorAtSend)) continue;
      if (reply.more) continue;
      expire(reply.storeTimeMs);
      return { entries: reply.entries, storeTimeMs: reply.storeTimeMs, leaseMs: reply.leaseMs };
    }
    throw new StoreUnavailable('the revocation log kept changing under the reader');
  }

  /**
   * Moves on to where the reply was read to, and tells what is new in it: replies to reads at the same time overlap.
   * False = it does not reach the cursor, which only a later reply can have moved: read again.
   */
  function advance({ revocations }: StoreRead, cursorAtSend: Cursor | undefined): boolean {
    let fresh = revocations;
    if (cursor !== cursorAtSend) {
      const known = revocations.findLastIndex((entry) => entry.cursor === cursor);
      if (known < 0) return false;
      fresh = revocations.slice(known + 1);
    }
    const last = fresh.at(-1);
    if (last === undefined) return true;
    cursor = last.cursor;
    listener?.onEntries(fresh);
    return true;
  }

  // The live revocations are loaded after the cursor was taken, so all that stands before it is among them.
  async function reload(reply: StoreRead): Promise<void> {
    try {
      for await (const revocations of store.loadRevocations()) table.apply(revocations, reply.storeTimeMs);
      epoch++;
      cursor = reply.cursor;
      listener?.onReset(reply.cursor);
    } finally {
      reloading = undefined;
    }
  }

  // One step a read, so that none waits for a whole pass. When the store cannot say what is over, entries stay that are
  // merely no longer needed.
  function expire(storeTimeMs: number): void {
    if (overMs !== undefined) {
      if (table.expire(overMs)) overMs = undefined;
    } else if (storeTimeMs - expiredAtMs >= EXPIRE_EVERY_MS) {
      expiredAtMs = storeTimeMs;
      store.meta().then(
        ({ revocationsOverMs }) => {
          overMs = revocationsOverMs - EXPIRE_EVERY_MS;
        },
        () => undefined,
      );
    }
  }

  return {
    read,
    get position() {
      return cursor;
    },
  };
}
