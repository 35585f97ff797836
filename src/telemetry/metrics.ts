// All metrics of a daemon, and their text for Prometheus. docs/metrics.md lists them; a test holds the two together.
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type AnswerMetrics, createAnswerMetrics } from './answer-metrics.js';
import { type CallObserver, createCallMetrics } from './call-metrics.js';
import { type CheckMetrics, createCheckMetrics } from './check-metrics.js';
import { observeGauge } from './instrument.js';
import { observeProcess, type ProcessFacts } from './process-metrics.js';
import { toPrometheusText } from './prometheus-text.js';
import { createReloadMetrics, type ReloadObserver } from './reload-metrics.js';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.js';
import { createWatchMetrics, type WatchObserver } from './watch-metrics.js';

/** Labels are of bounded sets: methods, codes, reasons, and callers by their names in the policy. */
export interface Metrics {
  readonly calls: CallObserver;
  readonly answers: AnswerMetrics;
  readonly checks: CheckMetrics;
  readonly store: StoreMetrics;
  readonly reloads: ReloadObserver;
  readonly watches: WatchObserver;
  observeState(state: DaemonState): void;
  /** Prometheus text format 0.0.4. */
  scrape(): Promise<string>;
  stop(): Promise<void>;
}

export interface DaemonState {
  readonly isReady: () => boolean;
  readonly liveRevocations: () => number;
}

/** OpenTelemetry folds what is above into one series; its default is 2000. */
const MAX_SERIES = 20_000;
const SCOPE = 'introspectd';

export function createMetrics(facts: ProcessFacts): Metrics {
  // It serves nothing: the ops port does.
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    readers: [exporter],
    views: [{ instrumentName: '*', aggregationCardinalityLimit: MAX_SERIES }],
  });
  const meter = provider.getMeter(SCOPE);
  const calls = createCallMetrics(meter);
  const store = createStoreMetrics(meter);
  const histograms = [...calls.histograms, ...store.histograms];
  const stopProcess = observeProcess(meter, facts);
  return {
    calls,
    store,
    answers: createAnswerMetrics(meter),
    checks: createCheckMetrics(meter),
    reloads: createReloadMetrics(meter),
    watches: createWatchMetrics(meter),
    observeState: ({ isReady, liveRevocations }) => {
      observeGauge(
        meter,
        { name: 'introspectd.ready', unit: '1', description: '1 while calls can be answered, as /readyz says.' },
        [[() => (isReady() ? 1 : 0)]],
      );
      observeGauge(
        meter,
        {
          name: 'introspectd.revocations.live',
          unit: '{revocation}',
          description: 'Revocations of more than one token that are held in memory.',
        },
        [[liveRevocations]],
      );
    },
    scrape: async () => {
      const { resourceMetrics } = await exporter.collect();
      const collected = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
      return toPrometheusText(resourceMetrics.resource, [
        ...collected,
        ...histograms.map((family) => family.collect()),
      ]);
    },
    stop: async () => {
      stopProcess();
      await provider.shutdown();
    },
  };
}
