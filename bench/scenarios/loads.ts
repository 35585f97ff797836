import type { Load } from '../load-generator.js';

/** How Introspect is asked: calls in flight -> over how many connections. */
export const INTROSPECT_LOADS: readonly { readonly concurrency: number; readonly load: Load }[] = [
  { concurrency: 1, load: { connections: 1, streams: 1 } },
  { concurrency: 8, load: { connections: 2, streams: 4 } },
  { concurrency: 100, load: { connections: 4, streams: 25 } },
];

export const ECHO = 'grpc-js echo';
export const PASSED_THROUGH = 'Introspect, claims passed through';
export const FILTERED = 'Introspect, claims filtered';
