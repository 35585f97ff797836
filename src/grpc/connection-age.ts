// How long a connection lives, so that clients spread over daemons again and show a certificate that is not old.
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { OpenStreams } from './open-streams.js';

export interface ConnectionAge {
  /** At most; GOAWAY leaves in the last fifth of it. */
  readonly ageMs: number;
  /** For calls that are still open then. */
  readonly graceMs: number;
}

/** Of the age. Connections of one moment do not end in one, and each then looks as long for a good one. */
const SPREAD = 0.1;
/** 24 days; a timer that is set to more fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * GOAWAY leaves when a call has come in and is the only one: whoever waits for its answer reads GOAWAY before it asks again.
 * At any other moment it crosses a call that is on its way, and that is refused. It may be asked again elsewhere, and
 * clients of gRPC do; Envoy counts a health check that was refused as a daemon that failed. (A first GOAWAY that names the
 * highest stream there can be, RFC 9113 §6.8, is no way out: node:http2 ignores every stream after it, too.)
 */
export function limitConnectionAge(session: ServerHttp2Session, open: OpenStreams, { graceMs, ...age }: ConnectionAge) {
  const ageMs = Math.min(age.ageMs, MAX_TIMER_MS);
  const end = () => {
    session.off('stream', endIfAlone);
    clearTimeout(timer);
    if (!session.closed) session.close();
    timer = setTimeout(() => session.destroy(), graceMs).unref();
  };
  const endIfAlone = (stream: ServerHttp2Stream) => {
    for (const other of open()) if (other !== stream) return;
    end();
  };
  const look = () => {
    session.on('stream', endIfAlone);
    timer = setTimeout(end, ageMs * SPREAD).unref();
  };
  let timer = setTimeout(look, ageMs * (1 - SPREAD - SPREAD * Math.random())).unref();
  session.once('close', () => clearTimeout(timer));
}
