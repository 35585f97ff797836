import { setFlagsFromString } from 'node:v8';

/**
 * For a process that serves or asks a lot: call it before it does. When much survives a collection of what is new, V8 makes such objects
 * among the old ones from then on, where they keep the calls that made them until the next full collection. A server that
 * starts under load gets there as a rule, for its first room for new objects is smaller than what its calls have under way
 * (docs/adr/0028).
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
