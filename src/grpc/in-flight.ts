// How much runs at once, counted by handler: a client that resets its stream frees the stream and not the handler.
import { IntrospectdError } from '../core/errors.js';

/** Answers a call with an error while its handler still runs. */
export type Abandon = (error: IntrospectdError) => void;

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
  const running = new Set<Abandon>();
  let closed: IntrospectdError | undefined;
  return {
    enter: (abandon) => {
      if (closed !== undefined) throw closed;
      if (running.size >= limit) throw new IntrospectdError('OVERLOADED', 'too many calls are in flight; retry');
      running.add(abandon);
      return () => running.delete(abandon);
    },
    size: () => running.size,
    close: (error) => {
      closed = error;
    },
    abandonAll: (error) => {
      for (const abandon of running) abandon(error);
    },
  };
}
