// Bounds of connections that grpc-js has no option for, or one that refuses calls: how many there are, how old they grow,
// and how long a peer may take to send its request and to read its answer. Without the latter both stay in memory for as
// long as the peer likes.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { type ConnectionAge, limitConnectionAge } from './connection-age.js';
import { getListeningServers } from './listening-servers.js';
import { type OpenStreams, watchOpenStreams } from './open-streams.js';

export interface ConnectionGuardLimits extends ConnectionAge {
  /** Of one listening address; more are closed as they come. */
  readonly connections: number;
  /**
   * From when a request is first found to be on its way, an eighth of this after its headers at most, to its last byte.
   * Not of methods with a stream of requests.
   */
  readonly requestMs: number;
  /** From when an answer is found waiting for its reader to the last byte of it. Not of the methods above either. */
  readonly answerMs: number;
}

/** A connection costs a file and, once it showed its certificate, about 65 KB (measured). */
const LIMITS: ConnectionGuardLimits = {
  connections: 10_000,
  requestMs: 10_000,
  answerMs: 10_000,
  ageMs: 600_000,
  graceMs: 30_000,
};

/** Private in grpc-js 1.14, as the listening servers are. */
interface Internals {
  readonly handlers?: ReadonlyMap<string, { readonly type: string }>;
}

interface SeenStream {
  readonly sinceMs: number;
  waitingSinceMs: number | undefined;
}

type Seen = ReadonlyMap<ServerHttp2Stream, SeenStream>;

const SWEEPS_PER_LIMIT = 8;
const REQUEST_STREAMS: ReadonlySet<string | undefined> = new Set(['bidi', 'clientStream']);

/** For what the server listens on now; call it once, when it is bound. */
export function guardConnections(
  server: Server,
  changedLimits: Partial<ConnectionGuardLimits> = {},
  watchStreams: (session: ServerHttp2Session) => OpenStreams = watchOpenStreams,
): void {
  const limits = { ...LIMITS, ...changedLimits };
  const listeningServers = getListeningServers(server);
  const { handlers } = server as unknown as Internals;
  if (handlers === undefined) throw new Error('this version of @grpc/grpc-js keeps its methods elsewhere');
  const sessions = new Map<ServerHttp2Session, OpenStreams>();
  const exempt = new WeakSet<ServerHttp2Stream>();
  const track = (session: ServerHttp2Session) => {
    const open = watchStreams(session);
    sessions.set(session, open);
    limitConnectionAge(session, open, limits);
    session.once('close', () => sessions.delete(session));
    session.on('stream', (stream, headers) => {
      if (REQUEST_STREAMS.has(handlers.get(String(headers[':path']))?.type)) exempt.add(stream);
    });
  };
  let seen: Seen = new Map();
  const sweepEveryMs = Math.min(limits.requestMs, limits.answerMs) / SWEEPS_PER_LIMIT;
  const timer = setInterval(() => {
    seen = sweep(findGuarded(sessions, exempt), seen, limits);
  }, sweepEveryMs).unref();
  for (const listening of listeningServers) {
    listening.maxConnections = limits.connections;
    listening.on('session', track);
    listening.once('close', () => clearInterval(timer));
  }
}

function* findGuarded(
  sessions: ReadonlyMap<ServerHttp2Session, OpenStreams>,
  exempt: WeakSet<ServerHttp2Stream>,
): Iterable<ServerHttp2Stream> {
  for (const findStreams of sessions.values()) {
    for (const stream of findStreams()) if (!exempt.has(stream)) yield stream;
  }
}

/** Those that may go on. */
function sweep(open: Iterable<ServerHttp2Stream>, seen: Seen, limits: ConnectionGuardLimits): Seen {
  const nowMs = performance.now();
  const kept = new Map<ServerHttp2Stream, SeenStream>();
  for (const stream of open) {
    const state = seen.get(stream) ?? { sinceMs: nowMs, waitingSinceMs: undefined };
    if (stream.writableLength === 0) state.waitingSinceMs = undefined;
    else state.waitingSinceMs ??= nowMs;
    const isRequestLate = !stream.readableEnded && nowMs - state.sinceMs > limits.requestMs;
    const isAnswerLate = nowMs - (state.waitingSinceMs ?? nowMs) > limits.answerMs;
    if (isRequestLate || isAnswerLate) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else kept.set(stream, state);
  }
  return kept;
}
