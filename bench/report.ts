// What docs/benchmarks.json holds, and nothing that names the machine it was measured on.
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { BenchSize } from './bench-context.js';
import type { FigureGroup } from './figures.js';
import type { GroupResult, Schedule } from './rounds.js';

export interface Report {
  readonly machine: Machine;
  readonly parts: readonly PartResult[];
}

export interface PartResult {
  /** As in parts.ts. */
  readonly name: string;
  readonly date: string;
  readonly size: BenchSize;
  readonly schedule: Schedule;
  readonly groups: readonly GroupResult[];
  readonly figures: readonly FigureGroup[];
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

/** The report with these parts in place of those of the same name. Throws when it is of another machine. */
export function mergeParts(report: Report, machine: Machine, measured: readonly PartResult[]): Report {
  const differs = (Object.keys(machine) as (keyof Machine)[]).filter((key) => machine[key] !== report.machine[key]);
  if (differs.length > 0) throw new Error(`the report is of another machine (${differs.join(', ')}): run all parts`);
  const replaced = report.parts.map((part) => measured.find(({ name }) => name === part.name) ?? part);
  const added = measured.filter(({ name }) => !report.parts.some((part) => part.name === name));
  return { machine, parts: [...replaced, ...added] };
}

/** Share of the time that measured processes waited for a processor from which on a report warns. */
const BUSY_WAITING = 0.05;

/** Why rows are missing, or not to be trusted. */
export function findRemarks(parts: readonly PartResult[]): readonly string[] {
  const groups = parts.flatMap((part) => part.groups);
  const rows = groups.flatMap((group) => group.rows);
  const waiting = Math.max(0, ...rows.map((row) => row.waiting));
  const busy = `Other programs had the processor while measured ones wanted it, up to ${Math.round(waiting * 100)} % of the time: repeat it on a quiet machine.`;
  const failing = rows.filter(({ verdict }) => verdict === 'calls failed').map(({ name }) => name);
  return [
    ...(waiting > BUSY_WAITING ? [busy] : []),
    ...(failing.length > 0 ? [`Calls failed in: ${[...new Set(failing)].join('; ')}.`] : []),
  ];
}
