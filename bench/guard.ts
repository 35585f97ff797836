// npm run bench -- --guard: is a ratio worse than in the report that is committed, by more than both runs waver?
import type { Part } from './parts.js';
import type { PartResult, Report } from './report.js';
import type { Ratio } from './rounds.js';
import type { Spread } from './statistics.js';

export interface GuardVerdict {
  readonly compared: number;
  /** Worse in two runs one after the other. */
  readonly dropped: readonly Drop[];
  /** There is a committed ratio and none now, or one of its sides did not count. */
  readonly notCompared: readonly string[];
}

export interface Drop {
  readonly part: string;
  readonly ratio: string;
  readonly committed: number;
  readonly now: number;
  /** The least difference that would have been one. */
  readonly noise: number;
}

/** Of a normal distribution: its standard deviation, of its median absolute deviation. */
const DEVIATION_OF_MAD = 1.4826;
const DEVIATIONS = 3;

/** Parts that seem worse are measured once more: what does not come again was the machine. */
export async function guard(
  committed: Report,
  parts: readonly Part[],
  measure: (parts: readonly Part[]) => Promise<readonly PartResult[]>,
): Promise<GuardVerdict> {
  const first = compare(committed.parts, await measure(parts));
  if (first.dropped.length === 0) return first;
  const suspects = parts.filter(({ name }) => first.dropped.some(({ part }) => part === name));
  const second = compare(committed.parts, await measure(suspects));
  const again = new Set(second.dropped.map(({ ratio }) => ratio));
  return { ...first, dropped: first.dropped.filter(({ ratio }) => again.has(ratio)) };
}

/** Of one run. */
export function compare(committed: readonly PartResult[], measured: readonly PartResult[]): GuardVerdict {
  const names = measured.map(({ name }) => name);
  const before = findRatios(committed.filter(({ name }) => names.includes(name)));
  const now = findRatios(measured);
  const dropped: Drop[] = [];
  const notCompared: string[] = [];
  let compared = 0;
  for (const [ratio, { part, of, quotient }] of before) {
    const found = now.get(ratio)?.quotient;
    if (quotient === undefined) continue;
    if (found === undefined) {
      notCompared.push(ratio);
      continue;
    }
    compared++;
    const noise = toNoise(quotient, found);
    const worseBy = of === 'p99' ? found.median - quotient.median : quotient.median - found.median;
    if (worseBy > noise) dropped.push({ part, ratio, committed: quotient.median, now: found.median, noise });
  }
  return { compared, dropped, notCompared };
}

/** Three standard deviations of the difference, and at least as far as one of the two runs strayed from its median. */
function toNoise(before: Spread, now: Spread): number {
  const deviation = DEVIATION_OF_MAD * Math.hypot(before.mad, now.mad);
  return Math.max(DEVIATIONS * deviation, toReach(before), toReach(now));
}

function toReach({ median, min, max }: Spread): number {
  return Math.max(max - median, median - min);
}

interface NamedRatio extends Ratio {
  readonly part: string;
}

function findRatios(parts: readonly PartResult[]): ReadonlyMap<string, NamedRatio> {
  const named = parts.flatMap(({ name: part, groups }) =>
    groups.flatMap(({ title, ratios }) =>
      ratios.map((ratio) => [`${title}: ${ratio.name} / ${ratio.baseline}`, { ...ratio, part }] as const),
    ),
  );
  return new Map(named);
}

export function formatGuard({ compared, dropped, notCompared }: GuardVerdict): string {
  const lines = dropped.map(
    ({ ratio, committed, now, noise }) =>
      `WORSE: ${ratio}: ${committed.toFixed(2)} -> ${now.toFixed(2)}, and noise explains ${noise.toFixed(2)}`,
  );
  return [
    ...lines,
    ...notCompared.map((ratio) => `not compared: ${ratio}`),
    `${compared} ratios compared, ${dropped.length} worse`,
  ].join('\n');
}
