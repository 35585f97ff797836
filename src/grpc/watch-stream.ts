// WatchRevocations: one stream of a cache. What it is told is core's business; here it is read from and written to, as fast
// as the client reads, and asked again and again whether it may still watch.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { WatchEvents } from '../core/caller-views.js';
import { isAnsweredAlike } from '../core/policy.js';
import type { Renewals } from '../core/renewals.js';
import type { Watcher } from '../core/watcher.js';
import type { Watches } from '../core/watches.js';
import type { WatchObserver } from '../telemetry/watch-metrics.js';
import { type CallDeps, needs } from './method.js';
import { nextMessage } from './next-message.js';
import { runStream, type ServedStream } from './stream-call.js';
import { encodeStarted, encodeWatchItem, parseRenewal, parseStart } from './watch-messages.js';

type WatchHandler = handleBidiStreamingCall<Buffer, Buffer>;
type Call = Parameters<WatchHandler>[0];

export interface WatchStreamDeps {
  readonly watches: Watches;
  readonly observer: WatchObserver;
}

/** So long at most is a caller told what a policy that was replaced let it know. */
const CHECK_EVERY_MS = 1000;
/** From when the stream is opened; it takes room from others. */
const START_WITHIN_MS = 10_000;

export function createWatchStream(calls: CallDeps, deps: WatchStreamDeps): WatchHandler {
  return (call) => {
    void runStream(calls, call, {
      name: 'WatchRevocations',
      authorize: needs('watch'),
      serve: (stream) => serveWatch(call, stream, deps),
    });
  };
}

async function serveWatch(call: Call, stream: ServedStream, { watches, observer }: WatchStreamDeps): Promise<void> {
  let caller = stream.admit();
  const after = parseStart(await nextStart(call, stream.signal));
  const bell = createBell();
  const broken = createBreak();
  const watcher = await watches.open(caller, { item: bell.ring, overload: broken.fail });

  /** Throws what refuses the caller now. */
  const checkCaller = () => {
    const now = stream.admit();
    if (!isAnsweredAlike(caller, now)) watcher.become(now);
    caller = now;
  };
  const sendEvents = ({ message, count }: WatchEvents) => {
    observer.sentEvents(count);
    return stream.sendFrame(message);
  };
  const renewals = watches.createRenewals({
    grant: (nonce, leaseMs) => {
      checkCaller();
      watcher.grant(nonce, leaseMs);
    },
    fail: broken.fail,
  });
  const serve = async () => {
    await stream.send(encodeStarted(after ?? watcher.startedAt));
    if (after === undefined) watcher.goLive();
    else await watches.resume(watcher, after, async (events) => sendEvents(events));
    await Promise.race([tell({ watcher, bell, stream, observer, sendEvents }), listen(call, stream, renewals)]);
  };

  const timer = setInterval(() => broken.guard(checkCaller), CHECK_EVERY_MS).unref();
  try {
    await Promise.race([serve(), broken.promise]);
  } finally {
    clearInterval(timer);
    watcher.close();
  }
}

/** Undefined when none came in time. */
async function nextStart(call: Call, signal: AbortSignal): Promise<Buffer | undefined> {
  // Not AbortSignal.any() of AbortSignal.timeout(): Node 20 may collect the latter before its time, and it never comes.
  const waiting = new AbortController();
  const stop = () => waiting.abort();
  const timer = setTimeout(stop, START_WITHIN_MS).unref();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await nextMessage(call, waiting.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

interface Telling {
  readonly watcher: Watcher;
  readonly bell: Bell;
  readonly stream: ServedStream;
  readonly observer: WatchObserver;
  readonly sendEvents: (events: WatchEvents) => Promise<void> | undefined;
}

/** Ends by rejecting alone. */
async function tell({ watcher, bell, stream, observer, sendEvents }: Telling): Promise<never> {
  for (;;) {
    const item = watcher.take();
    if (item === undefined) {
      await bell.next();
      continue;
    }
    if (item.kind === 'reset') observer.sentReset(item.cause);
    const room = item.kind === 'events' ? sendEvents(item.events) : stream.sendFrame(encodeWatchItem(item, Date.now()));
    if (room !== undefined) await room;
  }
}

/** Resolves when the client has no more to ask. */
async function listen(call: Call, { signal }: ServedStream, renewals: Renewals): Promise<void> {
  for (;;) {
    const message = await nextMessage(call, signal);
    if (message === undefined) return;
    renewals.ask(parseRenewal(message));
  }
}

interface Bell {
  ring(): void;
  /** Resolves at the next ring. */
  next(): Promise<void>;
}

function createBell(): Bell {
  let wake = () => {};
  return {
    ring: () => wake(),
    next: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}

/** What goes wrong outside of the stream's own course. */
function createBreak() {
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    fail = reject;
  });
  promise.catch(() => undefined);
  return {
    promise,
    fail,
    guard: (work: () => void) => {
      try {
        work();
      } catch (error) {
        fail(error);
      }
    },
  };
}
