// The client's numbers in OpenTelemetry: the real meter fits, and reads what stats() says.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { startWatchedServer } from './support/watched-server.js';

it('gives its numbers to a meter of OpenTelemetry', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const server = await startWatchedServer();
  const client = await server.connectWithLease({ meter: provider.getMeter('test') });
  for (let call = 0; call < 3; call++) await client.introspect('t');
  await provider.forceFlush();
  const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const values = Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]),
  );
  const { hits, misses, requests, bytes } = client.stats();
  assert.deepEqual(values, {
    'introspectd.client.cache.hits': hits,
    'introspectd.client.cache.inactive_hits': 0,
    'introspectd.client.cache.misses': misses,
    'introspectd.client.cache.resets': 0,
    'introspectd.client.cache.drops': 0,
    'introspectd.client.requests': requests,
    'introspectd.client.retries': 0,
    'introspectd.client.cache.entries': 1,
    'introspectd.client.cache.size': bytes,
    'introspectd.client.cache.leased': 1,
  });
  assert.equal(hits, 2);
  await provider.shutdown();
  await server.stop();
});
