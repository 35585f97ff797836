import type { UnaryLoad } from '../bench-context.js';

export const FULLEST: UnaryLoad = { concurrency: 100, load: { connections: 4, streams: 25 } };
export const UNARY_LOADS: readonly UnaryLoad[] = [
  { concurrency: 1, load: { connections: 1, streams: 1 } },
  { concurrency: 8, load: { connections: 2, streams: 4 } },
  FULLEST,
];
