// /metrics of a real daemon after calls that are known: names, labels and numbers, and nothing of the tokens.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { startTestDaemon, type TestDaemon } from '../support/daemon.js';
import { parseSamples, type Sample } from './prometheus-text.js';

const SERVICE = 'introspectd.v1.IntrospectionService';
const LIVE = 'a-live-token-of-the-metrics-test';
const REVOKED = 'a-revoked-token-of-the-metrics-test';

let daemon: TestDaemon;
let text: string;
let samples: readonly Sample[];
before(async () => {
  daemon = await startTestDaemon({ strangers: ['stranger'] });
  await daemon.register([{ token: LIVE }, { token: REVOKED }]);
  await daemon.client('security').revoke(REVOKED);
  const orders = daemon.client('orders');
  for (let i = 0; i < 3; i++) assert.equal((await orders.introspect(LIVE)).active, true);
  assert.equal((await orders.introspect(REVOKED)).active, false);
  await orders.introspectMany([LIVE, REVOKED, 'never-registered', '']);
  await assert.rejects(daemon.client('stranger').introspect(LIVE));
  await assert.rejects(daemon.client('security').introspect(LIVE));
  const response = await fetch(`http://${daemon.process.opsTarget}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  text = await response.text();
  samples = parseSamples(text);
});
after(() => daemon.stop());

/** The values of a metric that has all of these labels. */
function values(name: string, labels: Readonly<Record<string, string>> = {}): number[] {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .map(({ value }) => value);
}

/** Series of a metric, but for the watches that clients open by themselves. */
function countAsked(name: string): number {
  const isAsked = ({ rpc_method: method = '' }: Readonly<Record<string, string>>) =>
    !method.endsWith('WatchRevocations');
  return samples.filter((sample) => sample.name === name && isAsked(sample.labels)).length;
}

describe('/metrics', () => {
  it('counts calls by method, caller and code', () => {
    for (const [method, caller, code, count] of [
      [`${SERVICE}/Introspect`, 'orders', 'OK', 4],
      [`${SERVICE}/BatchIntrospect`, 'orders', 'OK', 1],
      [`${SERVICE}/Revoke`, 'security', 'OK', 1],
      ['introspectd.v1.TokenRegistryService/RegisterTokens', 'login', 'OK', 1],
      [`${SERVICE}/Introspect`, 'security', 'PERMISSION_DENIED', 1],
      // No policy knows it: whatever its certificate says is no label.
      [`${SERVICE}/Introspect`, '_unknown', 'PERMISSION_DENIED', 1],
    ] as const) {
      const labels = { rpc_system_name: 'grpc', rpc_method: method, caller, rpc_response_status_code: code };
      assert.deepEqual(values('rpc_server_call_duration_count', labels), [count], `${method} ${caller} ${code}`);
      assert.deepEqual(values('rpc_server_call_duration_bucket', { ...labels, le: '+Inf' }), [count]);
      const [seconds = 0] = values('rpc_server_call_duration_sum', labels);
      assert.ok(seconds > 0 && seconds < 30, `${seconds} s`);
    }
    assert.equal(countAsked('rpc_server_call_duration_count'), 6);
  });

  it('says why calls failed', () => {
    const rpc_method = `${SERVICE}/Introspect`;
    assert.deepEqual(values('introspectd_call_failures_total', { rpc_method, reason: 'CALLER_UNKNOWN' }), [1]);
    assert.deepEqual(values('introspectd_call_failures_total', { rpc_method, reason: 'PERMISSION_MISSING' }), [1]);
    assert.equal(countAsked('introspectd_call_failures_total'), 2);
  });

  it('counts answers, those of batches too, by what they said', () => {
    for (const [outcome, count] of [
      ['active', 4],
      ['revoked', 2],
      ['not_found', 1],
      ['item_at_fault', 1],
    ] as const) {
      assert.deepEqual(values('introspectd_answers_total', { caller: 'orders', outcome }), [count], outcome);
    }
    assert.equal(values('introspectd_answers_total').length, 4);
  });

  it('measures the store', () => {
    assert.deepEqual(
      values('introspectd_store_operation_duration_count', { operation: 'register', outcome: 'ok' }),
      [1],
    );
    assert.deepEqual(
      values('introspectd_store_operation_duration_count', { operation: 'revoke_token', outcome: 'ok' }),
      [1],
    );
    const [reads = 0] = values('introspectd_store_operation_duration_count', { operation: 'read' });
    assert.deepEqual(values('introspectd_store_read_size_count'), [reads]);
    // Four questions and a batch of three good tokens, each under one key.
    assert.deepEqual(values('introspectd_store_read_size_sum'), [7]);
    assert.deepEqual(values('introspectd_store_log_resets_total'), [1]);
    const [entries = 0] = values('introspectd_store_log_entries_total');
    assert.ok(entries >= 1, 'the revocation came by a read');
    const [lastRead = 0] = values('introspectd_store_read_last_success');
    assert.ok(Math.abs(lastRead - Date.now() / 1000) < 30);
  });

  it('tells the state of the daemon and of the process', () => {
    assert.deepEqual(values('introspectd_ready'), [1]);
    assert.deepEqual(values('introspectd_revocations_live'), [0]);
    for (const pool of ['questions', 'revocations', 'health']) {
      assert.deepEqual(values('introspectd_calls_in_flight', { pool }), [0]);
    }
    assert.deepEqual(values('introspectd_build_info', { node_version: process.versions.node }), [1]);
    assert.ok((values('process_memory_usage')[0] ?? 0) > 10e6);
    assert.ok((values('process_cpu_time_total')[0] ?? 0) > 0);
    assert.ok((values('process_uptime')[0] ?? 0) > 0);
    const [p50 = -1] = values('nodejs_eventloop_delay_p50');
    const [max = -1] = values('nodejs_eventloop_delay_max');
    assert.ok(p50 >= 0 && p50 <= max && max < 10, `${p50} ${max}`);
  });

  it('has no token, issuer, subject or identity', () => {
    for (const secret of [LIVE, REVOKED, 'never-registered', 'alice', 'https://', 'spiffe://', 'stranger']) {
      assert.ok(!text.includes(secret), secret);
    }
  });

  it('passes promtool', (t) => {
    const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    if (error !== undefined) return t.skip('promtool is not installed (Debian: apt install prometheus)');
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
});
