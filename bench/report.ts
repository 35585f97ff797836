// What docs/benchmarks.json holds, and nothing that names the machine it was measured on.
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { FigureGroup } from './figures.js';
import type { GroupResult, Schedule } from './rounds.js';
import type { Spread } from './statistics.js';

export interface Report {
  readonly date: string;
  readonly mode: 'quick' | 'full';
  readonly machine: Machine;
  readonly schedule: Schedule;
  readonly engines: readonly EngineFacts[];
  readonly groups: readonly GroupResult[];
  readonly figures: readonly FigureGroup[];
  /** Why rows are missing, or not to be trusted. */
  readonly remarks: readonly string[];
}

export interface EngineFacts {
  readonly name: string;
  readonly readyMs: Spread;
  readonly idleKib: number;
  readonly filledKib: number;
  readonly filledTokens: number;
}

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly redis: string;
}

export function describeMachine(redisVersion = 'none'): Machine {
  return {
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    // Distributions put more behind the version, down to who built it.
    kernel: /^\d+\.\d+/.exec(release())?.[0] ?? 'unknown',
    redis: redisVersion,
  };
}

/** Share of the time that measured processes waited for a processor from which on a report warns. */
const BUSY_WAITING = 0.05;

export function findRemarks(groups: readonly GroupResult[]): readonly string[] {
  const rows = groups.flatMap((group) => group.rows);
  const waiting = Math.max(0, ...rows.map((row) => row.waiting));
  const busy = `Other programs had the processor while measured ones wanted it, up to ${Math.round(waiting * 100)} % of the time: repeat it on a quiet machine.`;
  const failing = rows.filter(({ verdict }) => verdict === 'calls failed').map(({ name }) => name);
  return [
    ...(waiting > BUSY_WAITING ? [busy] : []),
    ...(failing.length > 0 ? [`Calls failed in: ${[...new Set(failing)].join('; ')}.`] : []),
  ];
}
