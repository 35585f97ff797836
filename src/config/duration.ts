const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A whole number and a unit, nothing between; nine digits at most, so that a sum of milliseconds stays exact. */
export const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/** "200ms", "10m", "30d" -> milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** In the largest unit that it is a whole number of: 2592000000 -> "30d". */
export function formatDuration(ms: number): string {
  const [unit, unitMs] = Object.entries(UNIT_MS).findLast(([, length]) => ms > 0 && ms % length === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}
