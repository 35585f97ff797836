// The process itself: what it uses, and how long its event loop makes everybody wait.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';
import { observeCounter, observeGauge } from './instrument.js';

/** Read at every scrape. */
export interface ProcessFacts {
  readonly version: string;
  readonly nodeVersion: string;
  cpuSeconds(): number;
  uptimeSeconds(): number;
  residentBytes(): number;
  heapUsedBytes(): number;
  /** Sockets, timers, files: what libuv keeps open. */
  activeResources(): number;
}

const RESOLUTION_MS = 20;
const NS_PER_SECOND = 1e9;

/** The result stops the monitor of the event loop. */
export function observeProcess(meter: Meter, facts: ProcessFacts): () => void {
  const gauge = (name: string, unit: string, description: string, read: () => number) =>
    observeGauge(meter, { name, unit, description }, [[read]]);
  const { version, nodeVersion } = facts;
  observeGauge(
    meter,
    { name: 'introspectd.build.info', unit: '1', description: 'Always 1; the labels say what runs.' },
    [[() => 1, { version, node_version: nodeVersion }]],
  );
  observeCounter(
    meter,
    { name: 'process.cpu.time', unit: 's', description: 'Processor time used, of the user and of the system.' },
    facts.cpuSeconds,
  );
  gauge('process.uptime', 's', 'Time since the process started.', facts.uptimeSeconds);
  gauge('process.memory.usage', 'By', 'Resident set size.', facts.residentBytes);
  gauge('nodejs.heap.used', 'By', 'Heap of JavaScript in use.', facts.heapUsedBytes);
  gauge(
    'nodejs.active_resources',
    '{resource}',
    'What keeps the event loop busy: sockets, timers.',
    facts.activeResources,
  );
  return observeEventLoop(meter);
}

function observeEventLoop(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const instruments = (['p50', 'p99', 'max'] as const).map((name) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, {
      unit: 's',
      description: `Lateness of the event loop since the last scrape, ${name}.`,
    }),
  );
  const [p50, p99, max] = instruments;
  meter.addBatchObservableCallback((result) => {
    // The monitor counts from timer to timer, its own interval included.
    const toSeconds = (ns: number) => Math.max(0, ns - RESOLUTION_MS * 1e6) / NS_PER_SECOND;
    if (p50) result.observe(p50, toSeconds(delay.percentile(50)));
    if (p99) result.observe(p99, toSeconds(delay.percentile(99)));
    if (max) result.observe(max, toSeconds(delay.max));
    delay.reset();
  }, instruments);
  let before = performance.eventLoopUtilization();
  observeGauge(
    meter,
    {
      name: 'nodejs.eventloop.utilization',
      unit: '1',
      description: 'Part of the time since the last scrape that the event loop was busy, 0 to 1.',
    },
    [
      [
        () => {
          const { utilization } = performance.eventLoopUtilization(before);
          before = performance.eventLoopUtilization();
          return utilization;
        },
      ],
    ],
  );
  return () => delay.disable();
}
