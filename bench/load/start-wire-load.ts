// The handle of a process that runs wire-load.ts.
import { readFileSync } from 'node:fs';
import { startChild } from '../child.js';
import type { Load } from '../load-generator.js';
import type { RunOutcome } from '../rounds.js';
import type { OpenLoop, Outcome, TimedOutcome } from './drive.js';
import type { WireCall, WireQuestion } from './wire-load.js';

export interface WireLoadRequest {
  readonly port: number;
  /** Paths of what the caller presents; plaintext without. */
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string } | undefined;
  readonly call: WireCall;
  readonly load: Load;
}

export interface WireLoad {
  readonly pid: number;
  /** As many calls as are answered, for windowMs. */
  run(windowMs: number): Promise<RunOutcome>;
  /** So many calls a second, evenly, timed from the instants they are due. */
  runAt(loop: OpenLoop): Promise<RunOutcome>;
  stop(): Promise<void>;
}

/** Resolves when it is connected. HTTP/1.1 gets a connection for each call in flight. */
export async function startWireLoad({ port, tls, call, load }: WireLoadRequest): Promise<WireLoad> {
  const child = startChild<WireQuestion, Outcome | TimedOutcome>('load/wire-load');
  const target = { port, tls: tls && readTls(tls), ...(call.protocol === 'h2' ? load : spreadOut(load)) };
  await child.ask({ kind: 'connect', target, call });
  return {
    pid: child.pid,
    run: async (windowMs) => toRunOutcome(await child.ask({ kind: 'closed', windowMs })),
    runAt: async (loop) => toTimedOutcome(await child.ask({ kind: 'open', ...loop }), loop),
    stop: () => child.stop(),
  };
}

function readTls({ caFile, certFile, keyFile }: NonNullable<WireLoadRequest['tls']>) {
  return { ca: readFileSync(caFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function spreadOut({ connections, streams }: Load): Load {
  return { connections: connections * streams, streams: 1 };
}

function toRunOutcome({ succeeded, failed, elapsedMs }: Outcome): RunOutcome {
  return { perSecond: (succeeded * 1000) / elapsedMs, failed };
}

function toTimedOutcome(outcome: Outcome | TimedOutcome, { windowMs }: OpenLoop): RunOutcome {
  if (!('latency' in outcome)) throw new Error('a closed loop has no latencies');
  const { inTime, failed, latency } = outcome;
  return { perSecond: (inTime * 1000) / windowMs, failed, latency };
}
