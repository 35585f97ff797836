// Work that yields: large batches and chunks of streams. Each is cut into slices, and a slice gets the processor when no
// live call wants it. ADR 0030 has the rule and what it was measured to cost.
import { Overloaded } from './errors.js';

/** How work in slices gives way. */
export interface Pace {
  /** Resolves when the next slice may run. Rejects when nobody waits for the work any more. */
  turn(): Promise<void>;
}

/** A batch or a chunk while it is worked on. */
export interface Job {
  /** Resolves when the job may have the processor for one slice. */
  turn(): Promise<void>;
  /** Call it once, when the job is done. */
  leave(): void;
}

export interface LowPriority {
  /**
   * Throws OVERLOADED: what could not be served soon is refused before anything was done for it. Whoever is let in is
   * served to the end.
   */
  enter(caller: string): Job;
  /** Jobs that are worked on. */
  size(): number;
}

export interface LowPriorityDependencies {
  /** How many live calls are being answered now. */
  readonly liveCalls: () => number;
  /** With so many live calls, or more, no job is let in: these are shed first. */
  readonly shedAt: number;
  /** Runs the task after the events of this turn of the event loop (0), or so many ms later. */
  readonly schedule: (task: () => void, delayMs: 0 | 1) => void;
  /** Never steps back, ms. */
  readonly now: () => number;
}

/** A job holds a request and an answer of up to 4 MiB. */
const MAX_JOBS = 64;
const MAX_JOBS_OF_CALLER = 32;
/** While live calls are under way there is one slice in so long: jobs get on, with about a twentieth of a processor. */
const STARVED_AFTER_MS = 5;
/** A live call is over within a turn or two, or waits for a store: then looking at every turn would be a loop. */
const LOOKS_AT_EVERY_TURN = 2;

export function createLowPriority(dependencies: LowPriorityDependencies): LowPriority {
  const { liveCalls, shedAt, schedule, now } = dependencies;
  const jobs = new Map<string, number>();
  /** Who waits for a turn, by caller: callers take turns, jobs of one caller are served as they come. */
  const waiting = new Map<string, (() => void)[]>();
  let size = 0;
  let isLooking = false;
  let looks = 0;
  let lastTurnMs = Number.NEGATIVE_INFINITY;

  function look(): void {
    isLooking = false;
    const [next] = waiting;
    if (next === undefined) return;
    const nowMs = now();
    if (liveCalls() > 0 && nowMs - lastTurnMs < STARVED_AFTER_MS) {
      lookAgain(looks++ < LOOKS_AT_EVERY_TURN ? 0 : 1);
      return;
    }
    looks = 0;
    lastTurnMs = nowMs;
    const [caller, turns] = next;
    const grant = turns.shift();
    waiting.delete(caller);
    if (turns.length > 0) waiting.set(caller, turns);
    grant?.();
    if (waiting.size > 0) lookAgain(0);
  }

  function lookAgain(delayMs: 0 | 1): void {
    if (isLooking) return;
    isLooking = true;
    schedule(look, delayMs);
  }

  return {
    enter: (caller) => {
      const own = jobs.get(caller) ?? 0;
      if (size >= MAX_JOBS || own >= MAX_JOBS_OF_CALLER || liveCalls() >= shedAt) throw new Overloaded();
      size += 1;
      jobs.set(caller, own + 1);
      return {
        turn: () =>
          new Promise((resolve) => {
            const turns = waiting.get(caller);
            if (turns === undefined) waiting.set(caller, [resolve]);
            else turns.push(resolve);
            lookAgain(0);
          }),
        leave: () => {
          size -= 1;
          const left = (jobs.get(caller) ?? 1) - 1;
          if (left > 0) jobs.set(caller, left);
          else jobs.delete(caller);
        },
      };
    },
    size: () => size,
  };
}

/** A job for as long as somebody waits for it. */
export function toPace(job: Pick<Job, 'turn'>, signal: AbortSignal): Pace {
  return {
    turn: async () => {
      await job.turn();
      signal.throwIfAborted();
    },
  };
}

/** The slices, each when it may run. */
export async function* inSlices<Item>(
  items: readonly Item[],
  sliceItems: number,
  pace: Pace,
): AsyncGenerator<readonly Item[], void> {
  for (let start = 0; start < items.length; start += sliceItems) {
    await pace.turn();
    yield items.slice(start, start + sliceItems);
  }
}
