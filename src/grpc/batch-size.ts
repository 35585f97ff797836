import { IntrospectdError } from '../core/errors.js';

/** Throws BATCH_EMPTY or BATCH_TOO_LARGE. */
export function checkBatchSize(size: number, max: number): void {
  if (size === 0) throw new IntrospectdError('BATCH_EMPTY', 'a batch has at least one item');
  if (size > max) throw new IntrospectdError('BATCH_TOO_LARGE', `a batch has at most ${max} items`);
}
