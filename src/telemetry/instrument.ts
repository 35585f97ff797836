import type { Attributes, Meter } from '@opentelemetry/api';

/** Of an instrument, by OpenTelemetry's rules: dotted lower case, the unit apart (s, By, {call}). */
export interface Instrument {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
}

/** Values of one metric, one for each set of attributes, read at every scrape. */
export type Gauges = readonly (readonly [read: () => number, attributes?: Attributes])[];

export function observeGauge(meter: Meter, { name, ...options }: Instrument, gauges: Gauges): void {
  meter.createObservableGauge(name, options).addCallback((result) => {
    for (const [read, attributes] of gauges) result.observe(read(), attributes);
  });
}

/** As observeGauge, of values that only grow. */
export function observeCounter(meter: Meter, { name, ...options }: Instrument, read: () => number): void {
  meter.createObservableCounter(name, options).addCallback((result) => result.observe(read()));
}
