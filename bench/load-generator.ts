// The handle of a process that runs http2-load.ts.
import { readFileSync } from 'node:fs';
import { startChild } from './child.js';
import type { LoadAnswer, LoadCall, LoadQuestion } from './http2-load.js';
import type { RunOutcome } from './rounds.js';

export interface LoadRequest {
  /** "host:port" */
  readonly target: string;
  /** Paths of what the caller presents. */
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  readonly call: LoadCall;
  readonly load: Load;
}

/** Calls in flight = connections * streams. */
export interface Load {
  readonly connections: number;
  readonly streams: number;
}

export interface LoadGenerator {
  readonly pid: number;
  /** Calls a second for windowMs. */
  run(windowMs: number): Promise<RunOutcome>;
  /** So many calls, all of which must succeed; the bytes of the last answer. */
  send(calls: number): Promise<Buffer>;
  stop(): Promise<void>;
}

const SEND_TIMEOUT_MS = 120_000;

/** Resolves when it is connected. */
export async function startLoadGenerator({ target, tls, call, load }: LoadRequest): Promise<LoadGenerator> {
  const child = startChild<LoadQuestion, LoadAnswer>('http2-load');
  const files = {
    ca: readFileSync(tls.caFile, 'utf8'),
    cert: readFileSync(tls.certFile, 'utf8'),
    key: readFileSync(tls.keyFile, 'utf8'),
  };
  await child.ask({ kind: 'connect', target: { authority: target, tls: files, ...load }, call });
  return {
    pid: child.pid,
    run: async (windowMs) => {
      const answer = await child.ask({ kind: 'run', windowMs, calls: Number.MAX_SAFE_INTEGER });
      return { perSecond: (answer.succeeded * 1000) / answer.elapsedMs, failed: answer.failed };
    },
    send: async (calls) => {
      const { succeeded, lastAnswer } = await child.ask({ kind: 'run', windowMs: SEND_TIMEOUT_MS, calls });
      if (succeeded !== calls) throw new Error(`${call.path}: ${calls - succeeded} of ${calls} calls failed`);
      return Buffer.from(lastAnswer);
    },
    stop: () => child.stop(),
  };
}
