import type { IntrospectionResult } from './introspection-result.js';
import type { DropKey } from './near-cache.js';

// Beside the claims; and of a tag, with its place in the index.
const ENTRY_BYTES = 300;
const TAG_ENTRY_BYTES = 80;

/** About what an entry takes; bench/cache-sampler.ts weighs it. */
export function countBytes(result: IntrospectionResult, dropKeys: readonly DropKey[]): number {
  return ENTRY_BYTES + dropKeys.length * TAG_ENTRY_BYTES + 2 * JSON.stringify(result).length;
}
