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
  return new Lifetime(call, expire, maxMs);
}

// A class, for there is one for every call: V8 makes a hidden class of its own for each object literal with accessors, and
// keeps it, with all that its functions see, until the next full collection. That was a fifth of the daemon's time
// (docs/adr/0028).
class Lifetime implements CallLifetime {
  private readonly clientDeadlineMs: number;
  private maxDeadlineMs: number;
  /** The same on a clock that is never set. */
  private endMs: number;
  private timer: NodeJS.Timeout | undefined;
  private controller: AbortController | undefined;
  private ended: IntrospectdError | undefined;

  private readonly call: LivingCall;
  private readonly expire: (error: IntrospectdError) => void;

  constructor(call: LivingCall, expire: (error: IntrospectdError) => void, maxMs: number) {
    this.call = call;
    this.expire = expire;
    this.maxDeadlineMs = Date.now() + maxMs;
    this.endMs = performance.now() + maxMs;
    this.clientDeadlineMs = Number(call.getDeadline());
    this.startTimer();
  }

  get deadlineMs(): number {
    return Math.min(this.clientDeadlineMs, this.maxDeadlineMs);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      const made = new AbortController();
      this.controller = made;
      if (this.ended !== undefined || this.call.cancelled) made.abort(this.findEnd());
      else this.call.once('cancelled', () => made.abort(this.findEnd() ?? cancelled()));
    }
    return this.controller.signal;
  }

  findEnd(): IntrospectdError | undefined {
    if (this.ended !== undefined) return this.ended;
    if (Date.now() >= this.deadlineMs || performance.now() >= this.endMs) return deadlineExceeded();
    return this.call.cancelled ? cancelled() : undefined;
  }

  extend(ms: number): void {
    if (this.ended !== undefined) return;
    this.maxDeadlineMs += ms;
    this.endMs += ms;
    clearTimeout(this.timer);
    this.startTimer();
  }

  end(error: IntrospectdError): void {
    this.ended ??= error;
    this.controller?.abort(this.ended);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private startTimer(): void {
    if (this.maxDeadlineMs >= this.clientDeadlineMs) {
      this.timer = undefined;
      return;
    }
    this.timer = setTimeout(() => this.onExpiry(), this.maxDeadlineMs - Date.now()).unref();
  }

  private onExpiry(): void {
    const error = deadlineExceeded();
    this.end(error);
    this.expire(error);
  }
}

function deadlineExceeded(): IntrospectdError {
  return new IntrospectdError('DEADLINE', 'the deadline passed before there was an answer');
}

function cancelled(): IntrospectdError {
  return new IntrospectdError('CANCELLED', 'the caller gave up');
}
