// docs/metrics.md lists every metric as it is scraped: name, type, unit, labels, and the same sentence.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createProcessFacts } from '../../src/cli/process-facts.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { withStoreMetrics } from '../../src/telemetry/store-metrics.js';
import { makeMemoryHarness } from '../store/memory-harness.js';
import { parseFamilies, parseSamples } from './prometheus-text.js';

const DOCS = new URL('../../../docs/metrics.md', import.meta.url);
const ALERTS = fileURLToPath(new URL('../../../examples/prometheus-alerts.yaml', import.meta.url));
/** Those of a histogram's own. */
const SUFFIX = /_(bucket|sum|count)$/;

test('docs/metrics.md has the metrics that there are', async (t) => {
  const metrics = createMetrics(createProcessFacts());
  t.after(() => metrics.stop());
  metrics.calls.observe({
    path: '/p.Service/Method',
    caller: 'orders',
    code: 'UNAVAILABLE',
    error: new StoreUnavailable('x'),
    durationMs: 1,
  });
  metrics.calls.observeHandshakeFailure('closed');
  metrics.calls.observeChunk({ path: '/p.Service/Method', error: undefined });
  metrics.calls.observeInFlight({ questions: () => 1 });
  metrics.answers.count('orders', [{ active: false, reason: 'REVOKED' }]);
  metrics.checks.count('envoy', 'allowed');
  metrics.reloads.failed('policy');
  metrics.watches.sentEvents(1);
  metrics.watches.sentReset('log');
  metrics.observeState({ isReady: () => true, liveRevocations: () => 0 });
  const harness = await makeMemoryHarness();
  t.after(() => harness.close());
  await withStoreMetrics(harness.store, metrics.store).read([], undefined);

  const text = await metrics.scrape();
  const labelsOf = new Map<string, string[]>();
  for (const { name, labels } of parseSamples(text)) {
    const family = labelsOf.has(name) ? name : name.replace(SUFFIX, '');
    labelsOf.set(
      family,
      Object.keys(labels).filter((label) => label !== 'le'),
    );
  }
  const rows = parseFamilies(text).map(({ name, type, unit, help }) => {
    const labels = (labelsOf.get(name) ?? []).map((label) => `\`${label}\``).join(' ');
    return `| \`${name}\` | ${type} | ${unit ?? ''} | ${labels} | ${help} |`;
  });
  const listed = readFileSync(DOCS, 'utf8')
    .split('\n')
    .filter((line) => /^\| `\w+` \| (counter|gauge|histogram) \|/.test(line));
  assert.ok(rows.length > 20);
  assert.deepEqual(listed.toSorted(), rows.toSorted());
});

test('the alerts ask for metrics that there are', (t) => {
  const docs = readFileSync(DOCS, 'utf8');
  const rules = readFileSync(ALERTS, 'utf8');
  const asked = new Set(rules.match(/\b(rpc|introspectd|process|nodejs)_\w+(?=[{[ ])/g));
  assert.ok(asked.size >= 6);
  for (const name of asked) assert.ok(docs.includes(`| \`${name.replace(SUFFIX, '')}\` |`), name);
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' });
  if (error !== undefined)
    return t.skip('the names are right; promtool is not installed (Debian: apt install prometheus)');
  assert.equal(status, 0, `${stdout}${stderr}`);
});
