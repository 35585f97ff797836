// One question on its way to the server, and all who wait for its answer.
import type { Instant } from './clocks.js';
import { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import type { Ticket } from './near-cache.js';
import { aborted, type CallBounds, deadlineExceeded } from './unary-call.js';

export interface Question {
  /** Of everything that the answer depends on. */
  readonly key: string;
  readonly token: string;
  readonly audiences: readonly string[];
}

/** One call of a user. */
export interface Waiter {
  readonly bounds: CallBounds;
  resolve(result: IntrospectionResult): void;
  reject(error: IntrospectionError): void;
}

export interface Flight {
  readonly question: Question;
  /** Set when it is sent. */
  departure: Departure | undefined;
  /** The last end of those who wait. */
  endMs(): number;
  isEmpty(): boolean;
  board(waiter: Waiter): void;
  /** From now on a waiter's own end is watched, where it comes before that of the request. */
  watchEnds(requestEndMs: number): void;
  /** Those who were aboard at the departure get it; `late` ones, where it is not for them, are handed back. */
  land(outcome: IntrospectionResult | IntrospectionError, isForLate: boolean): Waiter[];
}

export interface Departure {
  readonly at: Instant;
  /** There is one when the answer may be kept, and those who come later may share it. */
  readonly ticket: Ticket | undefined;
}

interface Seat {
  readonly waiter: Waiter;
  readonly isLate: boolean;
  leave(): void;
}

/** `onEmpty` when all have given up. */
export function createFlight(question: Question, onEmpty: (flight: Flight) => void): Flight {
  const seats = new Set<Seat>();
  let watchedEndMs: number | undefined;

  function giveUp(seat: Seat, error: IntrospectionError): void {
    seat.leave();
    seat.waiter.reject(error);
    if (seats.size === 0) onEmpty(flight);
  }

  const timers = new Map<Seat, NodeJS.Timeout>();
  function watchEnd(seat: Seat): void {
    const { endMs } = seat.waiter.bounds;
    if (watchedEndMs === undefined || endMs >= watchedEndMs || timers.has(seat)) return;
    timers.set(
      seat,
      setTimeout(() => giveUp(seat, deadlineExceeded()), endMs - performance.now()),
    );
  }

  const flight: Flight = {
    question,
    departure: undefined,
    endMs: () => Math.max(...[...seats].map(({ waiter }) => waiter.bounds.endMs)),
    isEmpty: () => seats.size === 0,
    board: (waiter) => {
      const { signal } = waiter.bounds;
      const onAbort = () => giveUp(seat, aborted(signal));
      const seat: Seat = {
        waiter,
        isLate: flight.departure !== undefined,
        leave: () => {
          seats.delete(seat);
          clearTimeout(timers.get(seat));
          timers.delete(seat);
          signal?.removeEventListener('abort', onAbort);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      seats.add(seat);
      watchEnd(seat);
    },
    watchEnds: (requestEndMs) => {
      watchedEndMs = requestEndMs;
      for (const seat of seats) watchEnd(seat);
    },
    land: (outcome, isForLate) => {
      const handedBack: Waiter[] = [];
      for (const seat of [...seats]) {
        seat.leave();
        if (seat.isLate && !isForLate) handedBack.push(seat.waiter);
        else if (outcome instanceof IntrospectionError) seat.waiter.reject(outcome);
        else seat.waiter.resolve(outcome);
      }
      return handedBack;
    },
  };
  return flight;
}
