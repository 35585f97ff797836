// One cache that watches: what it is to be told, in order and bounded. A watcher that does not read costs a queue, then a
// reset, then its stream; nobody else waits for it.
import type { CallerView, CallerViews, WatchEvents } from './caller-views.js';
import { IntrospectdError, StoreUnavailable } from './errors.js';
import type { Caller } from './policy.js';
import type { RevocationFeed } from './revocation-feed.js';
import type { Cursor, LogEntry } from './token-store.js';

/**
 * Why a cache must drop everything. log: the server lost its place in the log. revision: the place that the watcher gave is
 * not in the log, or too far behind. queue: it did not read. policy: what it may be told has changed.
 */
export type ResetCause = 'log' | 'revision' | 'queue' | 'policy';

export type WatchItem =
  | { readonly kind: 'events'; readonly events: WatchEvents }
  | { readonly kind: 'reset'; readonly cause: ResetCause; readonly revision: Cursor }
  | { readonly kind: 'renewed'; readonly nonce: bigint; readonly leaseMs: number; readonly revision: Cursor };

/** While it catches up it keeps what the feed says; from goLive() on it queues it. */
export interface Watcher {
  /** The entry after which it was told everything from the beginning. */
  readonly startedAt: Cursor;
  /** False from goLive() on, and from the first reset: a reset makes up for everything before it. */
  isCatchingUp(): boolean;
  /** What the caller is told of these entries. */
  encode(entries: readonly LogEntry[]): WatchEvents | undefined;
  /** From now on it is told what the feed says; not what it says up to `toldUpTo`, an entry that the feed has yet to reach. */
  goLive(toldUpTo?: Cursor): void;
  /** A lease, after all events that the fence knows of. Call it with what a read said that began after it was asked for. */
  grant(nonce: bigint, leaseMs: number): void;
  reset(cause: ResetCause): void;
  /** It is this caller from now on, and drops what it was told as another. */
  become(caller: Caller): void;
  /** What it is told next; undefined = nothing now, or it is closed. */
  take(): WatchItem | undefined;
  close(): void;
}

export interface WatcherDependencies {
  readonly feed: RevocationFeed;
  readonly views: CallerViews;
  readonly caller: Caller;
  /** Events that wait for it at most. */
  readonly maxQueued: number;
  readonly on: WatcherListener;
}

export interface WatcherListener {
  /** There is something to take. */
  item(): void;
  /** OVERLOADED: it does not even read that it was reset. */
  overload(error: IntrospectdError): void;
}

/** Throws StoreUnavailable when the log was not read yet. */
export function createWatcher({ feed, views, caller, maxQueued, on }: WatcherDependencies): Watcher {
  const startedAt = standing(feed);
  let view: CallerView = views.open(caller);
  /** What the feed said while it catches up. */
  let kept: LogEntry[] | undefined = [];
  let skipTo: Cursor | undefined;
  let queue: WatchItem[] = [];
  let queued = 0;
  let isClosed = false;

  function put(item: WatchItem): void {
    queue.push(item);
    on.item();
  }

  function reset(cause: ResetCause): void {
    kept = undefined;
    skipTo = undefined;
    queued = 0;
    queue = [];
    put({ kind: 'reset', cause, revision: standing(feed) });
  }

  function overflow(): void {
    const isReset = queue.some(({ kind }) => kind === 'reset');
    reset('queue');
    if (isReset) on.overload(new IntrospectdError('OVERLOADED', 'the watcher does not read what it is told; retry'));
  }

  function onEntries(entries: readonly LogEntry[]): void {
    if (kept !== undefined) {
      kept.push(...entries);
      if (kept.length > maxQueued) overflow();
      return;
    }
    const events = view.encode(skipTold(entries));
    if (events === undefined) return;
    if (queued > 0 && queued + events.count > maxQueued) {
      overflow();
      return;
    }
    queued += events.count;
    put({ kind: 'events', events });
  }

  function skipTold(entries: readonly LogEntry[]): readonly LogEntry[] {
    if (skipTo === undefined) return entries;
    const place = entries.findIndex(({ cursor }) => cursor === skipTo);
    if (place < 0) return [];
    skipTo = undefined;
    return entries.slice(place + 1);
  }

  const unsubscribe = feed.subscribe({ onEntries, onReset: () => reset('log') });

  return {
    startedAt,
    isCatchingUp: () => kept !== undefined,
    encode: (entries) => view.encode(entries),
    goLive: (toldUpTo) => {
      if (kept === undefined) return;
      const entries = kept;
      kept = undefined;
      skipTo = toldUpTo;
      onEntries(entries);
    },
    grant: (nonce, leaseMs) => {
      if (isClosed) return;
      const revision = standing(feed);
      // The feed is past every entry that a store ever had before the read: what was not met is of another log.
      if (skipTo !== undefined) reset('log');
      queue = queue.filter(({ kind }) => kind !== 'renewed');
      put({ kind: 'renewed', nonce, leaseMs, revision });
    },
    reset,
    become: (next) => {
      if (isClosed) return;
      view.close();
      view = views.open(next);
      reset('policy');
    },
    take: () => {
      const item = queue.shift();
      if (item?.kind === 'events') queued -= item.events.count;
      return item;
    },
    close: () => {
      isClosed = true;
      kept = undefined;
      queue = [];
      unsubscribe();
      view.close();
    },
  };
}

function standing(feed: RevocationFeed): Cursor {
  const position = feed.flush();
  if (position === undefined) throw new StoreUnavailable('the revocation log was not read yet');
  return position;
}
