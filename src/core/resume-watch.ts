import type { WatchEvents } from './caller-views.js';
import type { Cursor, TokenStore } from './token-store.js';
import type { Watcher } from './watcher.js';

export interface ResumeDependencies {
  readonly store: Pick<TokenStore, 'read'>;
  readonly watcher: Watcher;
  /** Entries of the log that are read for it at most: whoever is further behind drops everything, which costs less. */
  readonly maxEntries: number;
  /** Resolves when there is room for more. */
  readonly send: (events: WatchEvents) => Promise<void>;
}

/**
 * Tells a watcher what the log says after a revision, up to where the feed takes over, so that it is told every entry once
 * and in order; or resets it, when nobody can tell. Rejects with StoreUnavailable.
 */
export async function resumeWatch(
  { store, watcher, maxEntries, send }: ResumeDependencies,
  after: Cursor,
): Promise<void> {
  let cursor = after;
  let count = 0;
  while (cursor !== watcher.startedAt) {
    const page = await store.read([], cursor);
    if (!watcher.isCatchingUp()) return;
    if (page.reset) return watcher.reset('revision');
    const met = page.revocations.findIndex((entry) => entry.cursor === watcher.startedAt);
    const entries = met < 0 ? page.revocations : page.revocations.slice(0, met + 1);
    count += entries.length;
    if (count > maxEntries) return watcher.reset('revision');
    const events = watcher.encode(entries);
    if (events !== undefined) await send(events);
    if (met >= 0) break;
    cursor = page.cursor;
    // The end of the log, and the feed was not met: the revision is of a server that is ahead of this one.
    if (!page.more) return watcher.goLive(cursor);
  }
  watcher.goLive();
}
