// How much runs at once, counted by handler: a client that resets its stream frees the stream and not the handler.
import { IntrospectdError } from '../core/errors.js';

/** Answers a call with an error while its handler still runs. */
export type Abandon = (error: IntrospectdError) => void;

const GONE = -1;

interface Place {
  readonly abandon: Abandon;
  /** Where it stands in the list, or GONE. */
  index: number;
}

export interface InFlight {
  /** Throws OVERLOADED, or what close() said. Call the result once, when the handler is done. */
  enter(abandon: Abandon): () => void;
  /** How many handlers run now. */
  size(): number;
  /** From now on enter() throws this. */
  close(error: IntrospectdError): void;
  /** Answers every call that is still running. */
  abandonAll(error: IntrospectdError): void;
}

export function createInFlight(limit: number): InFlight {
  // No Set: V8 of Node 20 lets a table that a set has grown out of lead to the one in its place, and once the first is
  // old, all that ever came in stays until the next full collection (docs/adr/0028).
  const running: Place[] = [];
  let closed: IntrospectdError | undefined;

  function leave(place: Place): void {
    const { index } = place;
    if (index === GONE) return;
    place.index = GONE;
    const last = running.pop();
    if (last === undefined || last === place) return;
    running[index] = last;
    last.index = index;
  }

  return {
    enter: (abandon) => {
      if (closed !== undefined) throw closed;
      if (running.length >= limit) throw new IntrospectdError('OVERLOADED', 'too many calls are in flight; retry');
      const place = { abandon, index: running.length };
      running.push(place);
      return () => leave(place);
    },
    size: () => running.length,
    close: (error) => {
      closed = error;
    },
    abandonAll: (error) => {
      for (const { abandon } of [...running]) abandon(error);
    },
  };
}
