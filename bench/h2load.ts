// Load by h2load (nghttp2), over plaintext. It knows no trailers: that an answer was OK shows in how many bytes came.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunOutcome } from './rounds.js';

export interface H2loadRequest {
  readonly url: string;
  /** A framed message. */
  readonly bodyFile: string;
  /** Of a framed answer that is OK; a gRPC error has no message at all. */
  readonly answerBytes: number;
  readonly connections: number;
  /** Of each connection. */
  readonly streams: number;
}

export interface H2loadReport {
  readonly perSecond: number;
  readonly completed: number;
  readonly failed: number;
  /** Of all messages; header and framing bytes are not in it. */
  readonly dataBytes: number;
}

const execute = promisify(execFile);

export async function isH2loadInstalled(): Promise<boolean> {
  return execute('h2load', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Rejects when h2load fails, or says something that this does not understand. */
export async function runH2load(request: H2loadRequest, windowMs: number): Promise<RunOutcome> {
  const { url, bodyFile, answerBytes, connections, streams } = request;
  const { stdout } = await execute('h2load', [
    `--duration=${windowMs}ms`,
    `--clients=${connections}`,
    `--max-concurrent-streams=${streams}`,
    `--data=${bodyFile}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    url,
  ]);
  const report = parseH2loadReport(stdout);
  // The last answers of a timed run may come in part; all of them together are less than one a stream.
  const missingBytes = report.completed * answerBytes - report.dataBytes;
  const slackBytes = connections * streams * answerBytes;
  const emptyAnswers = missingBytes > slackBytes ? Math.ceil(missingBytes / answerBytes) : 0;
  return { perSecond: report.perSecond, failed: report.failed + emptyAnswers };
}

export function parseH2loadReport(text: string): H2loadReport {
  const find = (pattern: RegExp): number => {
    const [, digits] = pattern.exec(text) ?? [];
    if (digits === undefined) throw new Error(`h2load's report has no ${pattern.source}`);
    return Number(digits);
  };
  return {
    perSecond: find(/finished in [^,]+, ([\d.]+) req\/s/),
    completed: find(/status codes: (\d+) 2xx/),
    failed:
      find(/requests: .*?(\d+) failed/) + find(/2xx, (\d+) 3xx/) + find(/3xx, (\d+) 4xx/) + find(/4xx, (\d+) 5xx/),
    dataBytes: find(/\((\d+)\) data/),
  };
}
