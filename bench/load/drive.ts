// The two ways to load a server. Closed loop: a call follows the answer to another; it finds the capacity. Open loop: calls
// are due at fixed instants, whatever became of those before, and are timed from these; it finds out how long calls take.
import { percentile } from '../statistics.js';
import type { Call, Connection } from './call.js';
import { startTicker } from './ticker.js';

export interface Outcome {
  readonly succeeded: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

export interface TimedOutcome extends Outcome {
  /** Answered in the window, or at once after it: others were waiting in a queue that grew. */
  readonly inTime: number;
  readonly latency: Latency;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** How long after its instant the generator was ready to send a call, 99th percentile: its own share in the rest. */
  readonly lateP99Ms: number;
}

/** How long calls that are under way at the end may take. */
const DRAIN_MS = 3000;
/** Until then, calls that were under way at the end were in time. */
const GRACE_MS = 100;

export function driveClosed(connections: readonly Connection[], windowMs: number): Promise<Outcome> {
  const startedMs = performance.now();
  let [succeeded, failed, open] = [0, 0, 0];
  return new Promise((resolve) => {
    const start = (connection: Connection) => {
      const nowMs = performance.now();
      if (nowMs - startedMs < windowMs && connection.isOpen()) {
        open++;
        connection.send({ dueMs: nowMs, isOk: false });
      } else if (open === 0) resolve({ succeeded, failed, elapsedMs: nowMs - startedMs });
    };
    for (const connection of connections) {
      connection.onDone = ({ isOk }) => {
        open--;
        if (isOk) succeeded++;
        else failed++;
        start(connection);
      };
    }
    for (const connection of connections) {
      for (let slot = 0; slot < connection.slots; slot++) start(connection);
      connection.flush();
    }
  });
}

/** spin: keeps a processor busy. sleep: leaves it to others between calls; some tenths of a millisecond late. */
export type Pace = 'spin' | 'sleep';

export interface OpenLoop {
  readonly perSecond: number;
  readonly windowMs: number;
  readonly pace: Pace;
}

export async function driveOpen(connections: readonly Connection[], loop: OpenLoop): Promise<TimedOutcome> {
  const { perSecond, windowMs, pace } = loop;
  const ticker = pace === 'sleep' ? await startTicker(perSecond) : undefined;
  const startedMs = ticker?.startMs ?? performance.now();
  const total = Math.floor((perSecond * windowMs) / 1000);
  const latencies: number[] = [];
  const lateness: number[] = [];
  const free = connections.flatMap((connection) => Array.from({ length: connection.slots }, () => connection));
  const waiting: Call[] = [];
  let [due, failed, inTime] = [0, 0, 0];
  return new Promise((resolve) => {
    for (const connection of connections) {
      connection.onDone = (call) => {
        const nowMs = performance.now();
        if (!call.isOk) failed++;
        else {
          latencies.push(nowMs - call.dueMs);
          if (nowMs - startedMs <= windowMs + GRACE_MS) inTime++;
        }
        const next = waiting.shift();
        if (next === undefined) free.push(connection);
        else if (connection.isOpen()) connection.send(next);
        else failed++;
      };
    }
    if (ticker !== undefined) ticker.onTick = turn;
    turn();

    // Timers know milliseconds at best; a turn of the event loop takes some microseconds.
    function turn(): void {
      const nowMs = performance.now();
      for (; due < total && startedMs + (due * 1000) / perSecond <= nowMs; due++) {
        const dueMs = startedMs + (due * 1000) / perSecond;
        lateness.push(nowMs - dueMs);
        begin({ dueMs, isOk: false });
      }
      for (const connection of connections) connection.flush();
      const isTooLate = nowMs - startedMs > windowMs + DRAIN_MS;
      // What is still under way on them must not be taken for answers of the next run.
      if (isTooLate) for (const connection of connections) connection.close();
      if (isTooLate || latencies.length + failed === total) {
        ticker?.stop();
        resolve(finish(nowMs));
      } else if (ticker === undefined) setImmediate(turn);
    }
  });

  function begin(call: Call): void {
    const connection = free.shift();
    if (connection === undefined) waiting.push(call);
    else if (connection.isOpen()) connection.send(call);
    else failed++;
  }

  function finish(nowMs: number): TimedOutcome {
    const elapsedMs = Math.max(nowMs - startedMs, windowMs);
    // Of none that succeeded it took at least as long as this.
    const at = (share: number) => (latencies.length === 0 ? elapsedMs : percentile(latencies, share));
    const lateP99Ms = lateness.length === 0 ? 0 : percentile(lateness, 0.99);
    const latency = { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), lateP99Ms };
    return { succeeded: latencies.length, failed: total - latencies.length, elapsedMs, inTime, latency };
  }
}
