// Interleaved rounds: A B C A B C ..., so that whatever else the machine does meets every row of a group alike.
import { measureProcessorUse } from './cpu.js';
import { median, type Spread, toSpread } from './statistics.js';

export interface RunOutcome {
  /** What is counted: calls, tokens. */
  readonly perSecond: number;
  readonly failed: number;
}

export interface Row {
  /** Unique in its group. */
  readonly name: string;
  readonly unit: 'calls' | 'tokens' | 'keys';
  /** Whose processor time is measured. */
  readonly pid: number;
  /** Other rows of the group that this one is divided by. */
  readonly baselines?: readonly string[];
  /** Its rate is what one call costs, turned over: it counts however idle the server is meanwhile. */
  readonly oneAtATime?: true;
  run(windowMs: number): Promise<RunOutcome>;
}

export interface RowResult {
  readonly name: string;
  readonly unit: Row['unit'];
  readonly perSecond: Spread;
  /** As measured, round by round. */
  readonly rounds: readonly number[];
  readonly cores: number;
  readonly waiting: number;
  readonly failed: number;
  readonly verdict: Verdict;
}

/** Only `counts` goes into ratios. */
export type Verdict = 'counts' | 'not saturated' | 'not saturated (machine busy)' | 'calls failed';

export interface Ratio {
  readonly name: string;
  readonly baseline: string;
  /** Of the quotients within each round; undefined when one of the two rows does not count. */
  readonly quotient: Spread | undefined;
}

export interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface GroupResult {
  readonly title: string;
  readonly rows: readonly RowResult[];
  readonly ratios: readonly Ratio[];
}

export interface Schedule {
  readonly rounds: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
}

/** Below this share of a processor the load, and not the server, was the limit. */
const SATURATED_CORES = 0.95;

export async function runGroup({ title, rows }: Group, schedule: Schedule): Promise<GroupResult> {
  for (const row of rows) await row.run(schedule.warmUpMs);
  const measured = rows.map((row) => ({ row, rounds: [] as Measurement[] }));
  for (let round = 0; round < schedule.rounds; round++) {
    for (const { row, rounds } of measured) rounds.push(await measure(row, schedule.windowMs));
  }
  const results = measured.map(({ row, rounds }) => summarize(row, rounds));
  const ratios = rows.flatMap(({ name, baselines = [] }) =>
    baselines.map((baseline) => toRatio(findResult(results, name), findResult(results, baseline))),
  );
  return { title, rows: results, ratios };
}

export interface Measurement extends RunOutcome {
  readonly cores: number;
  readonly waiting: number;
}

async function measure(row: Row, windowMs: number): Promise<Measurement> {
  const [use, outcome] = await Promise.all([measureProcessorUse(row.pid, windowMs), row.run(windowMs)]);
  return { ...outcome, ...use };
}

export function summarize(row: Pick<Row, 'name' | 'unit' | 'oneAtATime'>, rounds: readonly Measurement[]): RowResult {
  const { name, unit, oneAtATime } = row;
  const cores = median(rounds.map((round) => round.cores));
  const waiting = median(rounds.map((round) => round.waiting));
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const rates = rounds.map(({ perSecond }) => perSecond);
  return { name, unit, perSecond: toSpread(rates), rounds: rates, cores, waiting, failed, verdict: judge() };

  function judge(): Verdict {
    if (failed > 0) return 'calls failed';
    if (oneAtATime || cores >= SATURATED_CORES) return 'counts';
    return cores + waiting >= SATURATED_CORES ? 'not saturated (machine busy)' : 'not saturated';
  }
}

export function toRatio(row: RowResult, baseline: RowResult): Ratio {
  const counts = row.verdict === 'counts' && baseline.verdict === 'counts';
  const quotients = row.rounds.map((rate, round) => rate / (baseline.rounds[round] ?? Number.NaN));
  return { name: row.name, baseline: baseline.name, quotient: counts ? toSpread(quotients) : undefined };
}

function findResult(results: readonly RowResult[], name: string): RowResult {
  const found = results.find((result) => result.name === name);
  if (found === undefined) throw new Error(`no row ${name} in this group`);
  return found;
}
