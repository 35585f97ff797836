// A scripted server with a watch: what it answers, whom it tells of revocations, and when it grants a lease.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metadata } from '@grpc/grpc-js';
import type { IntrospectionClient, IntrospectionClientOptions, IntrospectOptions } from '@introspectd/client';
import type {
  IntrospectRequest,
  IntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { until } from '../../grpc/until.js';
import { batchBytes, introspectBytes, MINIMAL_CLAIMS, response } from './messages.js';
import { type ScriptedServer, startScriptedServer, type WatchCall } from './scripted-server.js';

export interface Renewal {
  readonly nonce: bigint;
  /** performance.now() when it arrived: the client sent it before. */
  readonly arrivedMs: number;
  /** Grants a lease for it. */
  grant(leaseMs: number): void;
}

export interface WatchedServer extends ScriptedServer {
  /** Tokens that were asked about, in order, as requests: a batch is one array. */
  readonly requests: { readonly tokens: readonly string[]; readonly includeTags: boolean }[];
  /** SPIFFE id of who made each request. */
  readonly callers: string[];
  /** Open ones, the newest last. */
  readonly watches: WatchCall[];
  /** after_revision of each watch that was ever started. */
  readonly starts: string[];
  /** Answer of each token from now on; default: active, one tag of the token, kept for a minute. */
  answer: (token: string) => Partial<IntrospectResponse>;
  /** Runs before each answer is sent: resolves when it may be. */
  beforeAnswer: (token: string) => Promise<void> | void;
  /** What is done with a renewal; default: granted at once, for 2 s. */
  onRenewal: (renewal: Renewal) => void;
  /** Holds the next answers about the token back. */
  hold(token: string): { readonly arrived: Promise<void>; release(): void };
  /** Whether the answer came from memory. */
  isHit(client: IntrospectionClient, token: string, options?: IntrospectOptions): Promise<boolean>;
  /** Calls until it is asked; performance.now() before the last call that was answered from memory. */
  lastHitMs(client: IntrospectionClient, token: string): Promise<number>;
  tell(...tags: readonly Buffer[]): void;
  reset(): void;
  /** A client that has a lease. */
  connectWithLease(options?: Partial<IntrospectionClientOptions>): Promise<IntrospectionClient>;
}

const LEASE_MS = 2_000;

/** 16 bytes that stand for a thing that tokens belong to. */
export function tagOf(name: string): Buffer {
  return Buffer.alloc(16, name);
}

/** An active answer that belongs to the token and to each of these. */
export function activeWith(token: string, ...names: readonly string[]): Partial<IntrospectResponse> {
  const tags = Buffer.concat([token, ...names].map(tagOf));
  return { active: true, claims: { ...MINIMAL_CLAIMS, sub: token }, tags, cacheMs: 60_000n };
}

export async function startWatchedServer(): Promise<WatchedServer> {
  const requests: WatchedServer['requests'] = [];
  const callers: string[] = [];
  const watches: WatchCall[] = [];
  const starts: string[] = [];
  let revision = 0;
  let isStopping = false;

  const server = await startScriptedServer({
    introspect: async (call, reply) => {
      const { token, includeTags } = call.request;
      callers.push(toCaller(call.getAuthContext()));
      requests.push({ tokens: [token], includeTags });
      // Read when the request came, as by a server that reads its store then.
      const bytes = introspectBytes(answerTo({ token, includeTags }));
      await self.beforeAnswer(token);
      reply(null, bytes);
    },
    batchIntrospect: async (call, reply) => {
      const { items, includeTags } = call.request;
      callers.push(toCaller(call.getAuthContext()));
      const tokens = items.map(({ token }) => token);
      requests.push({ tokens, includeTags });
      const bytes = batchBytes(
        tokens.map((token) => ({ $case: 'response', value: response(answerTo({ token, includeTags })) })),
      );
      for (const token of tokens) await self.beforeAnswer(token);
      reply(null, bytes);
    },
    watchRevocations: (stream) => {
      watches.push(stream);
      stream.on('error', () => undefined);
      stream.on('close', () => watches.splice(watches.indexOf(stream), 1));
      stream.on('cancelled', () => stream.end());
      stream.on('data', ({ kind }) => {
        if (kind?.$case === 'start') {
          starts.push(kind.value.afterRevision);
          stream.write({ kind: { $case: 'started', value: { revision: String(revision), tagBytes: 16 } } });
        } else if (kind?.$case === 'renew') {
          const { nonce } = kind.value;
          self.onRenewal({
            nonce,
            arrivedMs: performance.now(),
            grant: (leaseMs) => {
              const renewed = { nonce, leaseMs: BigInt(leaseMs), revision: String(revision), serverTimeMs: 0n };
              stream.write({ kind: { $case: 'renewed', value: renewed } });
            },
          });
        }
      });
    },
  });

  function answerTo({ token, includeTags }: Pick<IntrospectRequest, 'token' | 'includeTags'>) {
    const fields = self.answer(token);
    return includeTags ? fields : { ...fields, tags: Buffer.alloc(0), cacheMs: 0n };
  }

  const self: WatchedServer = {
    ...server,
    requests,
    callers,
    watches,
    starts,
    answer: (token) => activeWith(token),
    beforeAnswer: () => undefined,
    onRenewal: ({ grant }) => grant(LEASE_MS),
    hold: (token) => {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const arrived = new Promise<void>((resolve) => {
        self.beforeAnswer = (asked) => {
          if (asked !== token) return undefined;
          resolve();
          return released;
        };
      });
      return { arrived, release };
    },
    isHit: async (client, token, options = {}) => {
      const before = requests.length;
      await client.introspect(token, options);
      return requests.length === before;
    },
    lastHitMs: async (client, token) => {
      let lastMs = Number.NaN;
      for (;;) {
        const calledMs = performance.now();
        if (!(await self.isHit(client, token))) return lastMs;
        lastMs = calledMs;
        await sleep(1);
      }
    },
    tell: (...tags) => {
      revision += 1;
      const events = tags.map((tag) => ({ tag, beforeMs: 253_402_300_799_999n }));
      for (const watch of watches) {
        watch.write({ kind: { $case: 'events', value: { events, revision: String(revision) } } });
      }
    },
    reset: () => {
      for (const watch of watches) {
        watch.write({ kind: { $case: 'reset', value: { reason: 'test', revision: String(revision) } } });
      }
    },
    connectWithLease: async (options) => {
      const client = self.connect(options);
      await client.introspect('the-first-call-opens-the-watch');
      await until(() => client.stats().cache === 'leased');
      requests.length = 0;
      return client;
    },
    stop: async () => {
      if (isStopping) return;
      isStopping = true;
      await server.stop();
    },
  };
  return self;
}

function toCaller({ sslPeerCertificate }: ReturnType<WatchCall['getAuthContext']>): string {
  return sslPeerCertificate?.subjectaltname?.replace('URI:', '') ?? '';
}

/** Ends a watch as a server does. */
export async function endWatch(watch: WatchCall, code: number, metadata?: Metadata): Promise<void> {
  watch.emit('error', { code, details: 'ended by the test', ...(metadata === undefined ? {} : { metadata }) });
  if (!watch.destroyed) await once(watch, 'close');
}
