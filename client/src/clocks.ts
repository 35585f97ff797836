// Two clocks, because each can fail: the monotonic one stands still while a machine sleeps, the wall clock can be set.

/** The same moment on both clocks. */
export interface Instant {
  /** Milliseconds, never steps back. */
  readonly monotonicMs: number;
  /** Milliseconds since the epoch. */
  readonly wallMs: number;
}

/** The longest that timers count: 2^31 - 1 ms. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Over from the beginning. */
export const OVER: Instant = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };

export function readClocks(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

export function addMs({ monotonicMs, wallMs }: Instant, ms: number): Instant {
  return { monotonicMs: monotonicMs + ms, wallMs: wallMs + ms };
}

/** Over as soon as either clock says so. */
export function isOver(end: Instant, now: Instant): boolean {
  return now.monotonicMs >= end.monotonicMs || now.wallMs >= end.wallMs;
}
