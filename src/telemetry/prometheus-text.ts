// Collected metrics -> Prometheus' text, a few series at a time: hundreds of callers make tens of thousands of lines, and
// printing them at once would hold back every answer, past the deadline of the store even.
import { setImmediate } from 'node:timers/promises';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** A series of a histogram is about 20 lines. */
const SERIES_A_TURN = 20;

const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);

export async function toPrometheusText(
  resource: ResourceMetrics['resource'],
  metrics: readonly MetricData[],
): Promise<string> {
  let text = '';
  for (const metric of metrics) {
    const count = metric.dataPoints.length;
    for (let start = 0; start < count; start += SERIES_A_TURN) {
      const dataPoints = metric.dataPoints.slice(start, start + SERIES_A_TURN);
      const slice = [{ ...metric, dataPoints } as MetricData];
      const printed = serializer.serialize({ resource, scopeMetrics: [{ scope: { name: '' }, metrics: slice }] });
      // What a metric is stands before its first series alone.
      text += start === 0 ? printed : printed.replaceAll(/^#.*\n/gm, '');
      if (start + SERIES_A_TURN < count) await setImmediate();
    }
  }
  return text;
}
