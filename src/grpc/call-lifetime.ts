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
  /**
   * Aborted when nobody waits any more; its reason is what findEnd() says. Made when first asked for: most handlers never
   * do.
   */
  readonly signal: AbortSignal;
  /** CANCELLED, DEADLINE or what end() said when nobody waits for the answer any more. */
  findEnd(): IntrospectdError | undefined;
  /** For a call that waits on purpose: our own bound is so much later. */
  extend(ms: number): void;
  /** The call was answered with this while its handler runs. */
  end(error: IntrospectdError): void;
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
  let maxDeadlineMs = Date.now() + maxMs;
  // The same on a clock that is never set.
  let endMs = performance.now() + maxMs;
  let timer = startTimer();
  let controller: AbortController | undefined;
  let ended: IntrospectdError | undefined;

  function startTimer(): NodeJS.Timeout | undefined {
    if (maxDeadlineMs >= clientDeadlineMs) return undefined;
    return setTimeout(onExpiry, maxDeadlineMs - Date.now()).unref();
  }

  function onExpiry(): void {
    const error = deadlineExceeded();
    end(error);
    expire(error);
  }

  function end(error: IntrospectdError): void {
    ended ??= error;
    controller?.abort(ended);
  }

  function getDeadlineMs(): number {
    return Math.min(clientDeadlineMs, maxDeadlineMs);
  }

  function findEnd(): IntrospectdError | undefined {
    if (ended !== undefined) return ended;
    if (Date.now() >= getDeadlineMs() || performance.now() >= endMs) return deadlineExceeded();
    return call.cancelled ? cancelled() : undefined;
  }

  return {
    get deadlineMs() {
      return getDeadlineMs();
    },
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        if (ended !== undefined || call.cancelled) made.abort(findEnd());
        else call.once('cancelled', () => made.abort(findEnd() ?? cancelled()));
      }
      return controller.signal;
    },
    findEnd,
    extend: (ms) => {
      if (ended !== undefined) return;
      maxDeadlineMs += ms;
      endMs += ms;
      clearTimeout(timer);
      timer = startTimer();
    },
    end,
    stop: () => clearTimeout(timer),
  };
}

function deadlineExceeded(): IntrospectdError {
  return new IntrospectdError('DEADLINE', 'the deadline passed before there was an answer');
}

function cancelled(): IntrospectdError {
  return new IntrospectdError('CANCELLED', 'the caller gave up');
}
