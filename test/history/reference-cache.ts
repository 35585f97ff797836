// The smallest cache that may be believed: answers live by tag, for as long as a lease that the watch renews. It is what
// the promise to caches means, and no example of speed.
import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import type {
  IntrospectResponse,
  WatchRevocationsRequest,
  WatchRevocationsResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { monotonicMs } from './history.js';

type Watch = ClientDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;

export interface ReferenceCacheDeps {
  /** Connects, and opens the stream. */
  open(): { readonly watch: Watch; close(): void };
  /** Asks a server, with tags; undefined when there is no answer. */
  fetch(token: number): Promise<IntrospectResponse | undefined>;
  /** keep: entries outlive a lost stream when the next one goes on where it ended. drop: they do not. */
  readonly afterLoss: 'keep' | 'drop';
  /** The stream ended or was given up. */
  onLost(): void;
}

export interface ReferenceCache {
  /** What is in memory, and may be told now. */
  find(token: number): IntrospectResponse | undefined;
  /** Asks a server, and keeps the answer if it may. */
  ask(token: number): Promise<IntrospectResponse | undefined>;
  close(): void;
}

interface Entry {
  readonly response: IntrospectResponse;
  readonly tags: readonly string[];
  readonly untilMs: number;
}

const TAG_BYTES = 16;
const RENEW_EVERY_MS = 250;
/** A stream that says nothing for so long is given up. */
const SILENCE_MS = 1500;
const RECONNECT_MS = 100;
/** How a watch may end when its connection or its daemon does. */
const LOSSES: readonly number[] = [status.UNAVAILABLE, status.CANCELLED];

export function createReferenceCache({ open, fetch, afterLoss, onLost }: ReferenceCacheDeps): ReferenceCache {
  const entries = new Map<number, Entry>();
  /** When each tag was last in an event; what was asked for before may not know of it. */
  const revokedMs = new Map<string, number>();
  let resetMs = monotonicMs();
  let leaseEndsMs = 0;
  let revision = '';
  let isWatching = false;
  let closed = false;
  let connection: ReturnType<ReferenceCacheDeps['open']> | undefined;

  function reset(): void {
    entries.clear();
    revokedMs.clear();
    resetMs = monotonicMs();
  }

  function watch(): void {
    const current = open();
    connection = current;
    let nonce = 0;
    let heardMs = monotonicMs();
    const sentMs = new Map<number, number>();
    const send = (kind: WatchRevocationsRequest['kind']) => void current.watch.write({ kind });
    const renewing = setInterval(() => {
      if (monotonicMs() - heardMs > SILENCE_MS) lose();
      else if (isWatching) renew();
    }, RENEW_EVERY_MS);

    const renew = () => {
      nonce += 1;
      sentMs.set(nonce, monotonicMs());
      send({ $case: 'renew', value: { nonce: BigInt(nonce) } });
    };
    const lose = () => {
      if (connection !== current) return;
      connection = undefined;
      isWatching = false;
      clearInterval(renewing);
      current.watch.cancel();
      current.close();
      if (afterLoss === 'drop') reset();
      if (closed) return;
      onLost();
      setTimeout(watch, RECONNECT_MS).unref();
    };

    current.watch.on('error', ({ code, details }: ServiceError) => {
      if (connection === current && !LOSSES.includes(code)) throw new Error(`the watch ended: ${code} ${details}`);
      lose();
    });
    current.watch.on('end', lose);
    current.watch.on('data', ({ kind }: WatchRevocationsResponse) => {
      if (connection !== current) return;
      heardMs = monotonicMs();
      if (kind?.$case === 'started') {
        revision = kind.value.revision;
        isWatching = true;
        renew();
      } else if (kind?.$case === 'events') {
        revision = kind.value.revision;
        for (const { tag } of kind.value.events) drop(Buffer.from(tag).toString('hex'));
      } else if (kind?.$case === 'renewed') {
        revision = kind.value.revision;
        const askedMs = sentMs.get(Number(kind.value.nonce));
        if (askedMs === undefined) throw new Error('a renewal that nobody asked for');
        leaseEndsMs = Math.max(leaseEndsMs, askedMs + Number(kind.value.leaseMs));
      } else if (kind?.$case === 'reset') {
        revision = kind.value.revision;
        isWatching = true;
        reset();
      }
    });
    send({ $case: 'start', value: { afterRevision: afterLoss === 'keep' ? revision : '' } });
  }

  function drop(tag: string): void {
    revokedMs.set(tag, monotonicMs());
    for (const [token, { tags }] of entries) if (tags.includes(tag)) entries.delete(token);
  }

  watch();
  return {
    find: (token) => {
      const entry = entries.get(token);
      const nowMs = monotonicMs();
      return entry !== undefined && nowMs < entry.untilMs && nowMs < leaseEndsMs ? entry.response : undefined;
    },
    ask: async (token) => {
      const askedMs = monotonicMs();
      const mayKeep = isWatching;
      const response = await fetch(token);
      if (response === undefined || !response.active) {
        entries.delete(token);
        return response;
      }
      const tags = toTags(response.tags);
      const isStale = resetMs >= askedMs || tags.some((tag) => (revokedMs.get(tag) ?? 0) >= askedMs);
      const untilMs = askedMs + Number(response.cacheMs);
      if (mayKeep && isWatching && !isStale && tags.length > 0) entries.set(token, { response, tags, untilMs });
      return response;
    },
    close: () => {
      closed = true;
      connection?.watch.cancel();
      connection?.close();
    },
  };
}

function toTags(bytes: Uint8Array): readonly string[] {
  const text = Buffer.from(bytes).toString('hex');
  return text.match(new RegExp(`.{${2 * TAG_BYTES}}`, 'g')) ?? [];
}
