// Interleaved rounds: A B C A B C ..., so that whatever else the machine does meets every row of a group alike.
import { measureProcessorUse } from './cpu.js';
import type { Latency } from './load/drive.js';
import { median, type Spread, toSpread } from './statistics.js';

export interface RunOutcome {
  /** What is counted: calls, tokens. */
  readonly perSecond: number;
  readonly failed: number;
  /** Of an open loop. */
  readonly latency?: Latency;
  /** False: what was to happen meanwhile did not, or not as often. */
  readonly keptUp?: boolean;
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
  /** An open loop with so many calls a second: how long calls take is what it is about, and what its ratios are of. */
  readonly timedAt?: number;
  /** What a busy machine costs by itself is what it is about: that load or server were late because of it is no objection. */
  readonly busyOnPurpose?: true;
  run(windowMs: number): Promise<RunOutcome>;
}

export interface RowResult {
  readonly name: string;
  readonly unit: Row['unit'];
  readonly perSecond: Spread;
  /** As measured, round by round. */
  readonly rounds: readonly number[];
  readonly cores: number;
  /** The server's processor time for one of what is counted, us: it says something on a busy machine, too. */
  readonly cpuUs: number;
  readonly waiting: number;
  readonly failed: number;
  readonly verdict: Verdict;
  /** Of rows that are timed. */
  readonly latency?: LatencyResult;
}

export interface LatencyResult {
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** The 99th percentile, round by round. */
  readonly rounds: readonly number[];
  /** What of it may be the generator's own: its lateness, 99th percentile. */
  readonly lateMs: number;
}

/** Only `counts` goes into ratios. */
export type Verdict =
  | 'counts'
  | 'not saturated'
  | 'not saturated (machine busy)'
  | 'calls failed'
  | 'fell behind'
  | 'load came late'
  | 'machine busy';

export interface Ratio {
  readonly name: string;
  readonly baseline: string;
  /** Of rates more is better, of latencies less. */
  readonly of: 'rates' | 'p99';
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
/** Below this share of the calls that were due, waiting calls pile up, and their latency tells only for how long. */
const KEPT_UP = 0.98;
/** From this share of the latency on, it is the generator's. */
const LATE_SHARE = 0.5;
/** A server that waited for a processor for this share of the time was late because of others. */
const BUSY_SHARE = 0.2;

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

type Kind = Pick<Row, 'name' | 'unit' | 'oneAtATime' | 'timedAt' | 'busyOnPurpose'>;

export function summarize(row: Kind, rounds: readonly Measurement[]): RowResult {
  const { name, unit } = row;
  const cores = median(rounds.map((round) => round.cores));
  const waiting = median(rounds.map((round) => round.waiting));
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const rates = rounds.map(({ perSecond }) => perSecond);
  const cpuUs = median(rounds.map((round) => (round.cores * 1e6) / Math.max(round.perSecond, 1)));
  const common = { name, unit, perSecond: toSpread(rates), rounds: rates, cores, cpuUs, waiting, failed };
  if (row.timedAt === undefined) return { ...common, verdict: judgeRate(row, common) };
  const latency = toLatencyResult(rounds);
  const keptUp = rounds.every((round) => round.keptUp !== false);
  const verdict = judgeLatency(row, { ...common, keptUp }, latency);
  return { ...common, latency, verdict };
}

type Judged = Pick<RowResult, 'perSecond' | 'cores' | 'waiting' | 'failed'>;

function judgeRate({ oneAtATime }: Kind, { failed, cores, waiting }: Judged): Verdict {
  if (failed > 0) return 'calls failed';
  if (oneAtATime || cores >= SATURATED_CORES) return 'counts';
  return cores + waiting >= SATURATED_CORES ? 'not saturated (machine busy)' : 'not saturated';
}

function judgeLatency(
  { timedAt = 0, busyOnPurpose }: Kind,
  judged: Judged & { readonly keptUp: boolean },
  { p99Ms, lateMs }: LatencyResult,
): Verdict {
  const { failed, perSecond, waiting, keptUp } = judged;
  if (failed > 0) return 'calls failed';
  if (!keptUp || perSecond.median < KEPT_UP * timedAt) return 'fell behind';
  if (busyOnPurpose) return 'counts';
  if (lateMs > LATE_SHARE * p99Ms.median) return 'load came late';
  return waiting > BUSY_SHARE ? 'machine busy' : 'counts';
}

function toLatencyResult(rounds: readonly Measurement[]): LatencyResult {
  const latencies = rounds.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  const p99s = latencies.map(({ p99Ms }) => p99Ms);
  return {
    p50Ms: toSpread(latencies.map(({ p50Ms }) => p50Ms)),
    p99Ms: toSpread(p99s),
    rounds: p99s,
    lateMs: median(latencies.map(({ lateP99Ms }) => lateP99Ms)),
  };
}

export function toRatio(row: RowResult, baseline: RowResult): Ratio {
  const isOfLatency = row.latency !== undefined && baseline.latency !== undefined;
  const counts = row.verdict === 'counts' && baseline.verdict === 'counts';
  const [values, divisors] = isOfLatency
    ? [row.latency.rounds, baseline.latency.rounds]
    : [row.rounds, baseline.rounds];
  const quotients = values.map((value, round) => value / (divisors[round] ?? Number.NaN));
  return {
    name: row.name,
    baseline: baseline.name,
    of: isOfLatency ? 'p99' : 'rates',
    quotient: counts ? toSpread(quotients) : undefined,
  };
}

function findResult(results: readonly RowResult[], name: string): RowResult {
  const found = results.find((result) => result.name === name);
  if (found === undefined) throw new Error(`no row ${name} in this group`);
  return found;
}
