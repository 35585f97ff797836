import { createLowPriority, type LowPriority } from '../core/low-priority.js';
import type { InFlight } from './in-flight.js';

/** Low priority beside the calls in this room, of which there may be `limit`: from half of them on it is shed. */
export function yieldToCalls(calls: Pick<InFlight, 'size'>, limit: number): LowPriority {
  return createLowPriority({
    liveCalls: calls.size,
    shedAt: Math.ceil(limit / 2),
    schedule: (task, delayMs) => void (delayMs === 0 ? setImmediate(task) : setTimeout(task, delayMs)),
    now: () => performance.now(),
  });
}
