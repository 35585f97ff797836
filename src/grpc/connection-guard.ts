// Bounds that grpc-js has no option for: how many connections there are, and how long a peer may take to send its request
// and to read its answer. Without them both stay in memory for as long as the peer likes.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { getListeningServers } from './listening-servers.js';

export interface ConnectionGuardLimits {
  /** Of one listening address; more are closed as they come. */
  readonly connections: number;
  /** From the headers to the last byte of the request. Not of methods with a stream of requests. */
  readonly requestMs: number;
  /** From when an answer is found waiting for its reader to the last byte of it. Not of the methods above either. */
  readonly answerMs: number;
}

/** Private in grpc-js 1.14, as the listening servers are. */
interface Internals {
  readonly handlers?: ReadonlyMap<string, { readonly type: string }>;
}

interface OpenStream {
  readonly sinceMs: number;
  waitingSinceMs: number | undefined;
}

const SWEEPS_PER_LIMIT = 8;
const REQUEST_STREAMS: ReadonlySet<string | undefined> = new Set(['bidi', 'clientStream']);

/** For what the server listens on now; call it once, when it is bound. */
export function guardConnections(server: Server, limits: ConnectionGuardLimits): void {
  const listeningServers = getListeningServers(server);
  const { handlers } = server as unknown as Internals;
  if (handlers === undefined) throw new Error('this version of @grpc/grpc-js keeps its methods elsewhere');
  const open = new Map<ServerHttp2Stream, OpenStream>();
  const track = (session: ServerHttp2Session) =>
    session.on('stream', (stream, headers) => {
      if (REQUEST_STREAMS.has(handlers.get(String(headers[':path']))?.type)) return;
      open.set(stream, { sinceMs: performance.now(), waitingSinceMs: undefined });
      stream.once('close', () => open.delete(stream));
    });
  const sweepEveryMs = Math.min(limits.requestMs, limits.answerMs) / SWEEPS_PER_LIMIT;
  const timer = setInterval(() => sweep(open, limits), sweepEveryMs).unref();
  for (const listening of listeningServers) {
    listening.maxConnections = limits.connections;
    listening.on('session', track);
    listening.once('close', () => clearInterval(timer));
  }
}

function sweep(open: Map<ServerHttp2Stream, OpenStream>, limits: ConnectionGuardLimits): void {
  const nowMs = performance.now();
  for (const [stream, state] of open) {
    if (stream.writableLength === 0) state.waitingSinceMs = undefined;
    else state.waitingSinceMs ??= nowMs;
    const isRequestLate = !stream.readableEnded && nowMs - state.sinceMs > limits.requestMs;
    const isAnswerLate = nowMs - (state.waitingSinceMs ?? nowMs) > limits.answerMs;
    if (!isRequestLate && !isAnswerLate) continue;
    open.delete(stream);
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
