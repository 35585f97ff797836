// WatchRevocations as a loop that goes on where it was when a connection is lost.
import { type Backoff, pickDelayMs, wait } from './backoff.js';
import type { IntrospectionServiceClient } from './gen/introspectd/v1/introspection_service.js';
import type { IntrospectionError } from './introspection-error.js';
import type { RevocationNotice } from './revocation-notice.js';
import { openWatch } from './watch-stream.js';

export interface FeedRequest {
  readonly raw: IntrospectionServiceClient;
  /** "" = from now. */
  readonly afterRevision: string;
  /** Ends the loop. */
  readonly signal: AbortSignal;
}

const RECONNECT: Backoff = { firstMs: 200, maxMs: 5_000 };
/** Notices that wait for the loop; beyond it the server waits. */
const MAX_WAITING = 1_000;
/** Connections are lost like this; with any other code trying again is of no use. */
const PASSING: readonly IntrospectionError['code'][] = ['UNAVAILABLE', 'CANCELLED', 'RESOURCE_EXHAUSTED'];
/** Connections are lost like this too, but so is what will never work. */
const DOUBTFUL: readonly IntrospectionError['code'][] = ['UNKNOWN', 'INTERNAL', 'DEADLINE_EXCEEDED'];
const MAX_DOUBTFUL = 5;

export async function* followRevocations({
  raw,
  afterRevision,
  signal,
}: FeedRequest): AsyncGenerator<RevocationNotice> {
  let revision = afterRevision;
  for (let failures = 0; !signal.aborted; failures++) {
    const { notices, failure } = openFeed(raw, revision, signal);
    for await (const notice of notices) {
      failures = 0;
      revision = notice.revision;
      yield notice;
    }
    const error = failure();
    if (signal.aborted || error === undefined) return;
    if (!PASSING.includes(error.code) && !(DOUBTFUL.includes(error.code) && failures < MAX_DOUBTFUL)) throw error;
    await wait((error.retryDelayMs ?? 0) + pickDelayMs(RECONNECT, failures), signal);
  }
}

/** One stream. The notices end with it; then the failure says why. */
function openFeed(raw: IntrospectionServiceClient, afterRevision: string, signal: AbortSignal) {
  const waiting: RevocationNotice[] = [];
  let failure: IntrospectionError | undefined;
  let isOver = false;
  let wake: () => void = () => undefined;

  const put = (...notices: readonly RevocationNotice[]) => {
    waiting.push(...notices);
    if (waiting.length >= MAX_WAITING) stream.pause();
    wake();
  };
  const end = () => {
    isOver = true;
    wake();
  };
  const stream = openWatch(raw, afterRevision, {
    started: (revision) => put({ kind: 'started', revision }),
    revoked: ({ events, revision }) =>
      put(
        ...events.map(({ tag, beforeMs }) => ({
          kind: 'revoked' as const,
          tag: tag.toString('base64url'),
          before_ms: Number(beforeMs),
          revision,
        })),
      ),
    renewed: () => undefined,
    reset: ({ revision, reason }) => put({ kind: 'reset', revision, reason }),
    ended: (error) => {
      failure = error;
      end();
    },
  });

  async function* read(): AsyncGenerator<RevocationNotice> {
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const notice = signal.aborted ? undefined : waiting.shift();
        if (notice !== undefined) yield notice;
        else if (isOver || signal.aborted) return;
        else {
          stream.resume();
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      stream.cancel();
    }
  }

  return { notices: read(), failure: () => failure };
}
