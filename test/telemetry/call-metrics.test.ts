// What a daemon's own calls cannot show on demand: calls that are shed, stores that fail, and metrics that break.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProcessFacts } from '../../src/cli/process-facts.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.js';
import { withStoreMetrics } from '../../src/telemetry/store-metrics.js';
import { ask } from '../grpc/ask.js';
import { until } from '../grpc/until.js';
import { makeMemoryHarness } from '../store/memory-harness.js';
import { INACTIVE_TO_ALL, startTestServer } from '../support/start-server.js';
import { parseSamples } from './prometheus-text.js';

const REQUEST = { token: 'abc', tokenTypeHint: '', audiences: [], includeTags: false };

/** Of each series: the values of these labels, and its own. */
async function seriesOf(metrics: Metrics, name: string, ...labels: readonly string[]) {
  return readSeries(await metrics.scrape(), name, ...labels);
}

function readSeries(text: string, name: string, ...labels: readonly string[]) {
  const samples = parseSamples(text).filter((sample) => sample.name === name);
  return samples.map((sample) => [...labels.map((label) => sample.labels[label]), sample.value]);
}

describe('metrics', () => {
  it('count what is in flight, and what is shed', async (t) => {
    const metrics = createMetrics(createProcessFacts());
    t.after(() => metrics.stop());
    let release: () => void = () => assert.fail('it was never held');
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isRunning = false;
    const one = async (...args: Parameters<typeof INACTIVE_TO_ALL.one>) => {
      isRunning = true;
      await held;
      return INACTIVE_TO_ALL.one(...args);
    };
    const introspect = { ...INACTIVE_TO_ALL, one };
    await using server = await startTestServer({ introspect, limits: { inflight: 1 }, observer: metrics.calls });
    const { introspection } = await server.connectAs('orders');
    const first = ask(introspection, 'introspect', REQUEST);
    await until(() => isRunning);
    assert.equal((await ask(introspection, 'introspect', REQUEST)).code, 'RESOURCE_EXHAUSTED');
    assert.deepEqual(await seriesOf(metrics, 'introspectd_calls_in_flight', 'pool'), [
      ['questions', 1],
      ['batches', 0],
      ['streams', 0],
      ['revocations', 0],
      ['waiting_for_caches', 0],
      ['health', 0],
      ['reflection', 0],
      ['watches', 0],
    ]);
    release();
    assert.equal((await first).code, 'OK');
    assert.deepEqual(await seriesOf(metrics, 'introspectd_call_failures_total', 'reason'), [['OVERLOADED', 1]]);
  });

  it('tell a store that fails from one that answers, and count resets', async (t) => {
    const metrics = createMetrics(createProcessFacts());
    t.after(() => metrics.stop());
    const harness = await makeMemoryHarness();
    t.after(() => harness.close());
    const store = withStoreMetrics(harness.store, metrics.store);
    const { cursor } = await store.read([], undefined);
    assert.equal((await store.read([], cursor)).reset, false);
    const down = { ...harness.store, read: () => Promise.reject(new StoreUnavailable('down')) };
    await assert.rejects(withStoreMetrics(down, metrics.store).read([], cursor), StoreUnavailable);
    assert.deepEqual(await seriesOf(metrics, 'introspectd_store_operation_duration_count', 'operation', 'outcome'), [
      ['read', 'ok', 2],
      ['read', 'unavailable', 1],
    ]);
    assert.deepEqual(await seriesOf(metrics, 'introspectd_store_log_resets_total'), [[1]]);
  });

  it('say that a changed file is not in use, until it is', async (t) => {
    const metrics = createMetrics(createProcessFacts());
    t.after(() => metrics.stop());
    const failing = () => seriesOf(metrics, 'introspectd_reload_failing', 'what');
    metrics.reloads.failed('policy');
    metrics.reloads.succeeded('tls');
    assert.deepEqual(await failing(), [
      ['policy', 1],
      ['tls', 0],
    ]);
    metrics.reloads.succeeded('policy');
    assert.deepEqual(await failing(), [
      ['policy', 0],
      ['tls', 0],
    ]);
    assert.deepEqual(await seriesOf(metrics, 'introspectd_reloads_total', 'what', 'outcome'), [
      ['policy', 'succeeded', 1],
      ['policy', 'failed', 1],
      ['tls', 'succeeded', 1],
      ['tls', 'failed', 0],
    ]);
  });

  it('of many callers are printed with pauses, and whole', async (t) => {
    const metrics = createMetrics(createProcessFacts());
    t.after(() => metrics.stop());
    const callers = Array.from({ length: 500 }, (_, index) => `caller-${index}`);
    for (const caller of callers) {
      metrics.calls.observe({ path: '/p.Service/M', caller, code: 'OK', error: undefined, durationMs: 1 });
      metrics.answers.count(caller, [{ active: false, reason: 'REVOKED' }]);
    }
    let turns = 0;
    let isPrinting = true;
    const count = () => {
      turns++;
      if (isPrinting) setImmediate(count);
    };
    setImmediate(count);
    const text = await metrics.scrape();
    isPrinting = false;
    assert.ok(turns > 20, `${turns} turns of the event loop`);
    const expected = callers.map((caller) => [caller, 1]);
    for (const name of ['rpc_server_call_duration_count', 'introspectd_answers_total']) {
      assert.deepEqual(readSeries(text, name, 'caller'), expected);
    }
    assert.equal(text.match(/^# TYPE rpc_server_call_duration /gm)?.length, 1);
  });

  it('that break hold no call and no read back', async (t) => {
    const metrics = createMetrics(createProcessFacts());
    t.after(() => metrics.stop());
    const poison = new Proxy({}, { get: () => assert.fail('broken') }) as never;
    const call = { path: poison, caller: 'x', code: 'OK', error: undefined, durationMs: 1 };
    metrics.calls.observe(call);
    metrics.answers.count('x', [poison]);
    metrics.store.observeRead(1, poison);
  });
});
