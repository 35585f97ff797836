// Is this token good now? From memory where that is as true as the lease says, else from the server.
import { type CacheKeys, createCacheKeys } from './cache-key.js';
import { toIntrospectionResult, toOwnResult } from './claims.js';
import { addMs, isOver, readClocks } from './clocks.js';
import { countBytes } from './entry-bytes.js';
import type { Departure, Flight, Question, Waiter } from './flight.js';
import { createFlights, type Landing, type Share } from './flights.js';
import type { IntrospectResponse } from './gen/introspectd/v1/introspection_service.js';
import { IntrospectionError } from './introspection-error.js';
import type { IntrospectionResult } from './introspection-result.js';
import type { Answer } from './near-cache.js';
import type { ServerReader } from './server-reader.js';
import type { CallBounds } from './unary-call.js';
import { TAG_BYTES } from './watch-stream.js';
import type { WatchedCache } from './watched-cache.js';

export interface IntrospectorDependencies {
  readonly reader: ServerReader;
  /** Undefined = every call goes to the server. */
  readonly watched: WatchedCache | undefined;
  readonly coalesce: boolean;
  readonly target: string;
}

export interface Introspector {
  /** From memory; undefined when the server has to be asked. */
  find(token: string, audiences: readonly string[]): IntrospectionResult | undefined;
  /** From the server. `isFresh`: asked after this call, whatever else is on its way. */
  ask(
    token: string,
    audiences: readonly string[],
    bounds: CallBounds,
    age: 'fresh' | 'leased',
  ): Promise<IntrospectionResult>;
  /** Of a token: nothing that was answered before is given again. */
  dropToken(token: string): void;
  /** Nothing of what was answered before is given again, and answers are those of another caller. */
  changeCaller(): void;
  readonly hits: number;
  readonly inactiveHits: number;
}

export function createIntrospector({ reader, watched, coalesce, target }: IntrospectorDependencies): Introspector {
  let generation = 0;
  let keys: CacheKeys = createCacheKeys([target, String(generation)]);
  let hits = 0;
  let inactiveHits = 0;

  function depart(): Departure {
    const ticket = watched?.session.hasLease(readClocks()) ? watched.cache.ask() : undefined;
    return { at: readClocks(), ticket };
  }

  function isShared({ ticket }: Departure): boolean {
    return ticket !== undefined && watched?.session.hasLease(readClocks()) === true && watched.cache.isCurrent(ticket);
  }

  async function ask(flights: readonly Flight[], bounds: CallBounds): Promise<readonly Landing[]> {
    const tokens = flights.map(({ question }) => question.token);
    const audiences = flights[0]?.question.audiences ?? [];
    const includeTags = flights.some(({ departure }) => departure?.ticket !== undefined);
    try {
      const outcomes = await reader.read({ tokens, audiences, includeTags }, bounds);
      return flights.map((flight, index) => land(flight, outcomes[index] as IntrospectResponse | IntrospectionError));
    } catch (error) {
      for (const { departure, question } of flights) {
        if (departure?.ticket !== undefined) watched?.cache.answer(departure.ticket, question.key, undefined);
      }
      throw error;
    }
  }

  function land({ question, departure }: Flight, outcome: IntrospectResponse | IntrospectionError): Landing {
    const result = toOutcome(outcome);
    if (watched === undefined) return toLanding(result, false);
    const { cache, session } = watched;
    const isAnswer = !(outcome instanceof IntrospectionError) && !(result instanceof IntrospectionError);
    const keep =
      isAnswer && departure?.ticket !== undefined ? toAnswer(question, departure, outcome, result) : undefined;
    const isKept = departure?.ticket !== undefined && cache.answer(departure.ticket, question.key, keep);
    // Once inactive, never active again: also not from an answer that was on its way before this one.
    if (isAnswer && !result.active) cache.dropQuestion(question.key);
    const now = readClocks();
    const isStillGood = keep !== undefined && !isOver(keep.end, now) && session.hasLease(now);
    return toLanding(result, isKept && isStillGood);
  }

  function toAnswer(
    { token }: Question,
    { at }: Departure,
    { tags, cacheMs }: IntrospectResponse,
    result: IntrospectionResult,
  ): Answer | undefined {
    const keepMs = Math.min(Number(cacheMs), watched?.maxAgeMs ?? 0);
    if (keepMs <= 0) return undefined;
    // From when it was asked for: the server can only have counted later.
    const end = addMs(at, keepMs);
    if (!result.active) return { result, dropKeys: [], end, bytes: countBytes(result, []) };
    // Without tags no revocation reaches it.
    if (tags.length === 0 || tags.length % TAG_BYTES !== 0) return undefined;
    const dropKeys = [keys.ofToken(token), ...splitTags(tags)];
    const bytes = countBytes(result, dropKeys);
    return { result, dropKeys, end: { ...end, wallMs: Math.min(end.wallMs, result.exp * 1_000) }, bytes };
  }

  const flights = createFlights({
    depart,
    isShared,
    ask,
    maxPerRequest: () => (coalesce ? reader.maxTokens() : 1),
  });

  return {
    find: (token, audiences) => {
      if (watched === undefined) return undefined;
      const now = readClocks();
      if (!watched.session.hasLease(now)) return undefined;
      const result = watched.cache.find(keys.ofQuestion(token, audiences), now);
      if (result === undefined) return undefined;
      if (result.active) hits += 1;
      else inactiveHits += 1;
      return result;
    },
    ask: (token, audiences, bounds, age) =>
      new Promise((resolve, reject) => {
        watched?.session.start();
        const waiter: Waiter = { bounds, resolve, reject };
        const share: Share = !coalesce ? 'nothing' : age === 'fresh' || watched === undefined ? 'unsent' : 'sent';
        flights.board({ key: keys.ofQuestion(token, audiences), token, audiences }, waiter, share);
      }),
    dropToken: (token) => watched?.cache.drop(keys.ofToken(token)),
    changeCaller: () => {
      generation += 1;
      keys = createCacheKeys([target, String(generation)]);
      watched?.session.restart();
    },
    get hits() {
      return hits;
    },
    get inactiveHits() {
      return inactiveHits;
    },
  };
}

function toLanding(result: IntrospectionResult | IntrospectionError, isKept: boolean): Landing {
  return result instanceof IntrospectionError ? result : { result, isKept };
}

/** An answer that breaks the contract is an error of that one. */
export function toOutcome(response: IntrospectResponse | IntrospectionError): IntrospectionResult | IntrospectionError {
  return convert(response, toIntrospectionResult);
}

/** The same, not frozen. */
export function toOwnOutcome(
  response: IntrospectResponse | IntrospectionError,
): IntrospectionResult | IntrospectionError {
  return convert(response, toOwnResult);
}

function convert(
  response: IntrospectResponse | IntrospectionError,
  toResult: (response: IntrospectResponse) => IntrospectionResult,
): IntrospectionResult | IntrospectionError {
  if (response instanceof IntrospectionError) return response;
  try {
    return toResult(response);
  } catch (error) {
    if (error instanceof IntrospectionError) return error;
    throw error;
  }
}

/** As keys for the cache: one character a byte. */
function splitTags(tags: Buffer): string[] {
  const all = tags.toString('latin1');
  return Array.from({ length: all.length / TAG_BYTES }, (_, index) =>
    all.slice(index * TAG_BYTES, (index + 1) * TAG_BYTES),
  );
}
