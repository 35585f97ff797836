import type { Attributes, Meter } from '@opentelemetry/api';
import type { Instrument } from './instrument.js';

export interface BoundCounter {
  add(count: number): void;
}

/**
 * A counter whose series are plain numbers, told to OpenTelemetry at a scrape: its own add() sorts and prints the
 * attributes each time, which costs microseconds. Bind each set of attributes once.
 */
export function createBoundCounter(
  meter: Meter,
  { name, ...options }: Instrument,
): (attributes: Attributes) => BoundCounter {
  const series: { readonly attributes: Attributes; total: number }[] = [];
  meter.createObservableCounter(name, options).addCallback((result) => {
    for (const { attributes, total } of series) result.observe(total, attributes);
  });
  return (attributes) => {
    const one = { attributes, total: 0 };
    series.push(one);
    return {
      add: (count) => {
        one.total += count;
      },
    };
  };
}
