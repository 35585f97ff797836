// How long a call may take, and the signal that tells its handler that nobody waits any more.
import type { EventEmitter } from 'node:events';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { IntrospectdError } from '../core/errors.js';

/** Of a call whose client set no deadline, or a later one. */
export const MAX_CALL_MS = 30_000;

export type LivingCall = Pick<ServerUnaryCall<unknown, unknown>, 'cancelled' | 'getDeadline'> &
  Pick<EventEmitter, 'once'>;

export interface CallLifetime {
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Aborted when the client cancelled or the deadline passed. Made when first asked for: most handlers never do. */
  readonly signal: AbortSignal;
  /** CANCELLED or DEADLINE when nobody waits for the answer any more. */
  findEnd(): IntrospectdError | undefined;
  /** Call it once when the handler is done. */
  stop(): void;
}

/** `expire` is called at the deadline, when that is ours: at the client's own, grpc-js answers. */
export function createCallLifetime(
  call: LivingCall,
  expire: (error: IntrospectdError) => void,
  maxMs = MAX_CALL_MS,
): CallLifetime {
  const clientDeadlineMs = Number(call.getDeadline());
  const nowMs = Date.now();
  const deadlineMs = Math.min(clientDeadlineMs, nowMs + maxMs);
  const endMs = performance.now() + (deadlineMs - nowMs);
  let controller: AbortController | undefined;
  let isExpired = false;
  const onExpiry = () => {
    isExpired = true;
    controller?.abort();
    expire(deadlineExceeded());
  };
  const timer = deadlineMs < clientDeadlineMs ? setTimeout(onExpiry, maxMs).unref() : undefined;
  return {
    deadlineMs,
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        if (isExpired || call.cancelled) made.abort();
        else call.once('cancelled', () => made.abort());
      }
      return controller.signal;
    },
    findEnd: () => {
      if (isExpired || Date.now() >= deadlineMs || performance.now() >= endMs) return deadlineExceeded();
      return call.cancelled ? new IntrospectdError('CANCELLED', 'the caller gave up') : undefined;
    },
    stop: () => clearTimeout(timer),
  };
}

function deadlineExceeded(): IntrospectdError {
  return new IntrospectdError('DEADLINE', 'the deadline passed before there was an answer');
}
