// How a server ends: tell, refuse, wait, answer what is left, close.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';
import type { InFlight } from './in-flight.js';
import type { Readiness } from './readiness.js';

export interface DrainTimes {
  /** How long health says NOT_SERVING before calls are refused, so that load balancers see it first. */
  readonly noticeMs: number;
  /** From the beginning to the end by force. */
  readonly budgetMs: number;
}

/** A second call waits for the first. */
export type Drain = (times: DrainTimes) => Promise<void>;

export interface DrainDeps {
  readonly server: Server;
  /** Addresses as bound. */
  readonly bound: ReadonlySet<string>;
  readonly readiness: Readiness;
  readonly calls: readonly InFlight[];
  /** Watches, reflection and whoever waits for caches: nobody waits for these to end by themselves. */
  readonly streams: readonly InFlight[];
}

/** For the last answers to reach the wire before connections are cut. */
const FLUSH_MS = 250;

export function createDrain(deps: DrainDeps): Drain {
  let drained: Promise<void> | undefined;
  return (times) => {
    drained ??= drain(deps, times);
    return drained;
  };
}

async function drain({ server, bound, readiness, calls, streams }: DrainDeps, times: DrainTimes): Promise<void> {
  const endMs = performance.now() + times.budgetMs;
  const left = () => Math.max(0, endMs - performance.now());
  const stopping = new IntrospectdError('DRAINING', 'the server is stopping; retry at another');
  readiness.set('draining');
  await sleep(Math.min(times.noticeMs, left()));
  for (const inFlight of calls) inFlight.close(stopping);
  for (const inFlight of streams) {
    inFlight.close(stopping);
    inFlight.abandonAll(stopping);
  }
  const closed = new Promise<'closed'>((resolve) => server.tryShutdown(() => resolve('closed')));
  if ((await withTimeout(closed, left() - FLUSH_MS)) === 'closed') return;
  // Cut off, these would read CANCELLED, which looks like the client's own wish and is not retried.
  for (const inFlight of calls) inFlight.abandonAll(stopping);
  if ((await withTimeout(closed, Math.min(left(), FLUSH_MS))) === 'closed') return;
  // forceShutdown() knows no sessions while channelz is off (grpc-js 1.14), drain() does.
  for (const address of bound) server.drain(address, 0);
  server.forceShutdown();
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const timer = new AbortController();
  const timeout = sleep(Math.max(0, timeoutMs), undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    timer.abort();
  }
}
