// Everything about watching that one server shares among its watchers.
import type { CallerViews, WatchEvents } from './caller-views.js';
import type { FencedRead } from './fence.js';
import type { Caller } from './policy.js';
import { createRenewals, type Renewals, type RenewalsDependencies } from './renewals.js';
import { resumeWatch } from './resume-watch.js';
import type { RevocationFeed } from './revocation-feed.js';
import type { Cursor, TokenStore } from './token-store.js';
import { createWatcher, type Watcher, type WatcherListener } from './watcher.js';

export interface Watches {
  /** Rejects with StoreUnavailable when the log cannot be read. */
  open(caller: Caller, on: WatcherListener): Promise<Watcher>;
  /** As resumeWatch(). */
  resume(watcher: Watcher, after: Cursor, send: (events: WatchEvents) => Promise<void>): Promise<void>;
  createRenewals(of: Omit<RenewalsDependencies, 'read'>): Renewals;
}

export interface WatchesDependencies {
  readonly feed: RevocationFeed;
  readonly views: CallerViews;
  readonly store: Pick<TokenStore, 'read'>;
  /** A fenced read that begins now, or with the others of this tick. */
  readonly read: () => Promise<FencedRead>;
  /** Events that wait for one watcher at most. */
  readonly maxQueued: number;
}

export function createWatches({ feed, views, store, read, maxQueued }: WatchesDependencies): Watches {
  return {
    open: async (caller, on) => {
      if (feed.flush() === undefined) await read();
      return createWatcher({ feed, views, caller, maxQueued, on });
    },
    resume: (watcher, after, send) => resumeWatch({ store, watcher, maxEntries: maxQueued, send }, after),
    createRenewals: (of) => createRenewals({ read, ...of }),
  };
}
