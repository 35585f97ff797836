// Every call that reached an adapter of ours: how long it took, how it ended, and why when it failed.
import type { Meter } from '@opentelemetry/api';
import { IntrospectdError } from '../core/errors.js';
import { attempt } from './attempt.js';
import { createBoundCounter } from './bound-counter.js';
import { createHistogramFamily, type HistogramFamily } from './bound-histogram.js';
import type { CallRecord } from './call-log.js';
import { observeGauge } from './instrument.js';
import { createMemo } from './memo.js';

export interface SettledCall extends Pick<CallRecord, 'code' | 'error' | 'caller' | 'durationMs'> {
  /** As on the wire, "/package.Service/Method", of a method that is served. */
  readonly path: string;
}

export interface SettledChunk {
  /** As SettledCall.path. */
  readonly path: string;
  /** Undefined = it was answered. */
  readonly error: IntrospectdError | undefined;
}

export interface CallObserver {
  /** Never throws: a call goes on without its metrics. */
  observe(call: SettledCall): void;
  /** One chunk of a stream. Never throws. */
  observeChunk(chunk: SettledChunk): void;
  /** A connection that never was one, by a reason of a closed set. */
  observeHandshakeFailure(reason: string): void;
  /** Calls being worked on, of each pool of room. */
  observeInFlight(pools: Readonly<Record<string, () => number>>): void;
}

export interface CallMetrics extends CallObserver {
  readonly histograms: readonly HistogramFamily[];
}

/** The caller of a call that was refused before its caller was known. No policy can use the name. */
export const UNKNOWN_CALLER = '_unknown';

/** Seconds. Below a millisecond too: most answers take less. */
const BOUNDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

export function createCallMetrics(meter: Meter): CallMetrics {
  const durations = createHistogramFamily(
    { name: 'rpc.server.call.duration', description: 'Time from a call to its answer, by how it ended.', unit: 's' },
    BOUNDS,
  );
  // Names of the semantic conventions for RPC; `caller` is ours.
  const durationOf = createMemo((path: string) =>
    createMemo((caller: string) =>
      createMemo((code: string) =>
        durations.bind({
          'rpc.system.name': 'grpc',
          'rpc.method': path.slice(1),
          'rpc.response.status_code': code,
          caller,
        }),
      ),
    ),
  );
  const bindFailures = createBoundCounter(meter, {
    name: 'introspectd.call.failures',
    description: 'Calls that failed, by the reason in their error details. OVERLOADED: shed for want of room.',
    unit: '{call}',
  });
  const failuresOf = createMemo((path: string) =>
    createMemo((reason: string) => bindFailures({ 'rpc.method': path.slice(1), reason })),
  );
  const bindChunks = createBoundCounter(meter, {
    name: 'introspectd.chunks',
    description:
      'Chunks of streams, by the reason of their error, or OK. OVERLOADED: shed, so that live calls are served.',
    unit: '{chunk}',
  });
  const chunksOf = createMemo((path: string) =>
    createMemo((reason: string) => bindChunks({ 'rpc.method': path.slice(1), reason })),
  );
  const bindHandshakeFailures = createBoundCounter(meter, {
    name: 'introspectd.tls.handshake.failures',
    description: 'Connections that ended before they could ask anything, by why.',
    unit: '{connection}',
  });
  const handshakeFailuresOf = createMemo((reason: string) => bindHandshakeFailures({ reason }));
  return {
    histograms: [durations],
    observe: ({ path, caller = UNKNOWN_CALLER, code, error, durationMs }) =>
      attempt(() => {
        durationOf(path)(caller)(code).record(durationMs / 1000);
        if (error !== undefined) failuresOf(path)(error instanceof IntrospectdError ? error.reason : code).add(1);
      }),
    observeChunk: ({ path, error }) => attempt(() => chunksOf(path)(error?.reason ?? 'OK').add(1)),
    observeHandshakeFailure: (reason) => attempt(() => handshakeFailuresOf(reason).add(1)),
    observeInFlight: (pools) =>
      observeGauge(
        meter,
        { name: 'introspectd.calls.in_flight', description: 'Calls being worked on now, by pool.', unit: '{call}' },
        Object.entries(pools).map(([pool, read]) => [read, { pool }] as const),
      ),
  };
}
