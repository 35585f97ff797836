// Every read brings the revocation table up to date in the same round trip as the entries, so that an answer is never
// older than the log it was read with. DESIGN: a reset discards what was sent before it; the cursor never moves back.
import { StoreUnavailable } from './errors.js';
import type { Digest } from './key-ring.js';
import type { RevocationTable } from './revocation-table.js';
import type { Cursor, StoreRead, TokenStore } from './token-store.js';

/** Entries, and a table that knows every revocation that was in the log when they were read. */
export interface FencedRead {
  readonly entries: StoreRead['entries'];
  readonly storeTimeMs: number;
}

export interface Fence {
  /** Rejects with StoreUnavailable when the store fails, or keeps resetting. */
  read(digests: readonly Digest[]): Promise<FencedRead>;
}

export interface FenceDependencies {
  readonly store: Pick<TokenStore, 'read' | 'loadRevocations' | 'meta'>;
  readonly table: RevocationTable;
}

// Each attempt is spent by a reset, by a full page of the log, or by a reset that another read saw first.
const MAX_ATTEMPTS = 1000;
const EXPIRE_EVERY_MS = 60_000;

export function createFence({ store, table }: FenceDependencies): Fence {
  let cursor: Cursor | undefined;
  let epoch = 0;
  let sent = 0;
  let accepted = 0;
  let reloading: Promise<void> | undefined;
  let expiredAtMs = 0;

  async function read(digests: readonly Digest[]): Promise<FencedRead> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (reloading !== undefined) await reloading;
      const order = ++sent;
      const epochAtSend = epoch;
      const reply = await store.read(digests, cursor);
      if (epochAtSend !== epoch || reloading !== undefined) continue;
      if (reply.reset) {
        reloading = reload(reply);
        await reloading;
        continue;
      }
      const broad = reply.revocations.filter(({ kind }) => kind === 'tag');
      table.apply(broad, reply.storeTimeMs);
      if (order > accepted) {
        accepted = order;
        cursor = reply.cursor;
      }
      if (reply.more) continue;
      if (reply.storeTimeMs - expiredAtMs >= EXPIRE_EVERY_MS) expire(reply.storeTimeMs);
      return { entries: reply.entries, storeTimeMs: reply.storeTimeMs };
    }
    throw new StoreUnavailable('the revocation log kept changing under the reader');
  }

  // The live revocations are loaded after the cursor was taken, so all that stands before it is among them.
  async function reload(reply: StoreRead): Promise<void> {
    try {
      for await (const revocations of store.loadRevocations()) table.apply(revocations, reply.storeTimeMs);
      epoch++;
      cursor = reply.cursor;
    } finally {
      reloading = undefined;
    }
  }

  // Best effort and off the path of the answer: a failure leaves entries that are merely no longer needed.
  function expire(storeTimeMs: number): void {
    expiredAtMs = storeTimeMs;
    void store.meta().then(
      ({ maxTokenTtlMs, leaseMs }) => table.expire(storeTimeMs - maxTokenTtlMs - leaseMs - EXPIRE_EVERY_MS),
      () => undefined,
    );
  }

  return { read };
}
