// Rows that are no rates: bytes, and how long one thing takes. They report, and have no baseline.
import { type Spread, toSpread } from './statistics.js';

export interface FigureGroup {
  readonly title: string;
  readonly rows: readonly FigureRow[];
}

export interface FigureRow {
  readonly name: string;
  readonly unit: 'B' | 'MiB' | 'ns' | 'ms' | 'x';
  readonly value: Spread;
  /** What the design asks for, in words. */
  readonly goal?: string;
}

/** A row of each key, over all samples. */
export function toFigureRows<Key extends string>(
  samples: readonly Readonly<Record<Key, number>>[],
  heads: Readonly<Record<Key, Omit<FigureRow, 'value'>>>,
): readonly FigureRow[] {
  return (Object.keys(heads) as Key[]).map((key) => ({
    ...heads[key],
    value: toSpread(samples.map((sample) => sample[key])),
  }));
}
