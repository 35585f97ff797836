// Calls of one tick leave together: one request where there are several, and one question where they ask the same.
import { setMaxListeners } from 'node:events';
import { createFlight, type Departure, type Flight, type Question, type Waiter } from './flight.js';
import { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import { type CallBounds, deadlineExceeded } from './unary-call.js';

export interface Flights {
  board(question: Question, waiter: Waiter, share: Share): void;
}

/** 'sent' = also with one that has left, if its answer may be kept; 'unsent' = only with one that has not; 'nothing' = alone. */
export type Share = 'sent' | 'unsent' | 'nothing';

/** An answer and whether it was kept, or why there is none. */
export type Landing = { readonly result: IntrospectionResult; readonly isKept: boolean } | IntrospectionError;

export interface FlightsDependencies {
  /** Called at the departure of each flight. */
  depart(question: Question): Departure;
  /** Whether those who come now may share the answer of what left then. */
  isShared(departure: Departure): boolean;
  /** Asks, in one request. In order; rejects with IntrospectionError when there is no answer to any. */
  ask(flights: readonly Flight[], bounds: CallBounds): Promise<readonly Landing[]>;
  /** How many questions may be in one request now. */
  maxPerRequest(): number;
}

/**
 * Requests in the air at once. It is reached when a cache was emptied under load: then questions wait and leave in fuller
 * requests, instead of all at once.
 */
const MAX_BATCHES = 32;
const MAX_SINGLES = 512;

export function createFlights({ depart, isShared, ask, maxPerRequest }: FlightsDependencies): Flights {
  const unsent = new Map<string, Flight>();
  const sent = new Map<string, Flight>();
  let inTheAir = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // After the events of this tick. A call that comes alone waits for nothing else.
    setImmediate(flush);
  }

  function flush(): void {
    isScheduled = false;
    const perRequest = maxPerRequest();
    const maxInTheAir = perRequest > 1 ? MAX_BATCHES : MAX_SINGLES;
    for (const flights of toRequests([...unsent.values()], perRequest)) {
      if (inTheAir >= maxInTheAir) break;
      for (const { question } of flights) unsent.delete(question.key);
      void send(flights);
    }
    // They wait for one to land, and might wait too long.
    for (const flight of unsent.values()) flight.watchEnds(Number.POSITIVE_INFINITY);
  }

  async function send(flights: readonly Flight[]): Promise<void> {
    const abandoned = new AbortController();
    // One for each call, where the policy lets them ask only singly.
    setMaxListeners(0, abandoned.signal);
    const endMs = Math.max(...flights.map((flight) => flight.endMs()));
    for (const flight of flights) {
      flight.departure = depart(flight.question);
      flight.watchEnds(endMs);
      // Only what may be shared is found; a later one of the same question takes its place.
      if (flight.departure.ticket !== undefined) sent.set(flight.question.key, flight);
      onEmpty.set(flight, () => {
        if (flights.every((other) => other.isEmpty())) abandoned.abort();
      });
    }
    inTheAir += 1;
    const landings = await ask(flights, { endMs, signal: abandoned.signal }).catch(
      (error: IntrospectionError) => error,
    );
    inTheAir -= 1;
    for (const [index, flight] of flights.entries()) {
      land(flight, landings instanceof IntrospectionError ? landings : (landings[index] as Landing));
    }
    if (unsent.size > 0) schedule();
  }

  function land(flight: Flight, landing: Landing): void {
    const { question } = flight;
    if (sent.get(question.key) === flight) sent.delete(question.key);
    const isAnswer = !(landing instanceof IntrospectionError);
    for (const waiter of flight.land(isAnswer ? landing.result : landing, isAnswer && landing.isKept)) {
      // Came after it had left, and it is not true enough for them: they ask themselves.
      if (waiter.bounds.endMs <= performance.now()) waiter.reject(deadlineExceeded());
      else boardUnsent(question, waiter);
    }
  }

  const onEmpty = new WeakMap<Flight, () => void>();

  function create(question: Question): Flight {
    return createFlight(question, (empty) => {
      if (unsent.get(question.key) === empty) unsent.delete(question.key);
      if (sent.get(question.key) === empty) sent.delete(question.key);
      onEmpty.get(empty)?.();
    });
  }

  function boardUnsent(question: Question, waiter: Waiter): void {
    const flight = unsent.get(question.key) ?? create(question);
    unsent.set(question.key, flight);
    flight.board(waiter);
    schedule();
  }

  function boardAlone(question: Question, waiter: Waiter): void {
    const flight = create(question);
    flight.board(waiter);
    void send([flight]);
  }

  return {
    board: (question, waiter, share) => {
      if (share === 'nothing') return boardAlone(question, waiter);
      const flight = share === 'sent' && !unsent.has(question.key) ? sent.get(question.key) : undefined;
      if (flight?.departure !== undefined && isShared(flight.departure)) flight.board(waiter);
      else boardUnsent(question, waiter);
    },
  };
}

/** Those of one list of audiences, in requests of so many at most. */
function toRequests(flights: readonly Flight[], perRequest: number): Flight[][] {
  const groups = new Map<string, Flight[]>();
  const requests: Flight[][] = [];
  for (const flight of flights) {
    const audiences = JSON.stringify(flight.question.audiences);
    const group = groups.get(audiences);
    if (group !== undefined && group.length < perRequest) group.push(flight);
    else {
      const request = [flight];
      groups.set(audiences, request);
      requests.push(request);
    }
  }
  return requests;
}
