// A running daemon: store, rules and servers, wired once. Knows no files, no signals and no process.
import { type Address, formatAddress } from '../config/address.js';
import type { Config } from '../config/config.js';
import { createCallerViews } from '../core/caller-views.js';
import { createFence } from '../core/fence.js';
import { createIntrospect } from '../core/introspect.js';
import type { KeyRing } from '../core/key-ring.js';
import type { Policy } from '../core/policy.js';
import { createRates, limitIntrospect, limitRegister } from '../core/rates.js';
import { createReadBatcher } from '../core/read-batcher.js';
import { createRegister } from '../core/register.js';
import { createRevocationFeed } from '../core/revocation-feed.js';
import { createRevocationTable } from '../core/revocation-table.js';
import { createRevoke } from '../core/revoke.js';
import { type Token, tokenSha256 } from '../core/token.js';
import type { TokenStore } from '../core/token-store.js';
import { createWatches } from '../core/watches.js';
import { createServerCredentials } from '../grpc/credentials.js';
import type { DrainTimes } from '../grpc/drain.js';
import { createOpsServer } from '../grpc/ops-server.js';
import { createReadiness } from '../grpc/readiness.js';
import { createGrpcServer } from '../grpc/server.js';
import type { TlsMaterial } from '../grpc/tls-material.js';
import { encodeEvents } from '../grpc/watch-messages.js';
import { withReadDeadline } from '../store/read-deadline.js';
import { withAnswerMetrics } from '../telemetry/answer-metrics.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { withStoreMetrics } from '../telemetry/store-metrics.js';
import { CliError } from './cli-error.js';
import { readDescriptors } from './descriptors.js';
import { openStore } from './open-store.js';
import { watchStore } from './watch-store.js';
import { wireAuthorization } from './wire-authorization.js';

export interface DaemonDeps {
  readonly config: Config;
  readonly tls: TlsMaterial;
  /** Asked at every call. */
  readonly policy: () => Policy;
  readonly keyRing: KeyRing;
  readonly logger: Logger;
  /** Stopped with the daemon. */
  readonly metrics: Metrics;
}

export interface Daemon {
  /** As bound, "host:port". */
  readonly listen: string;
  readonly opsListen: string;
  /** For connections made from now on. Throws and keeps what it had. */
  replaceTls(material: TlsMaterial): void;
  /** Lets the calls in flight end, then closes everything. */
  stop(times: DrainTimes): Promise<void>;
}

/** Rejects with StoreUnavailable, or with a CliError when it cannot listen; nothing is left open then. */
export async function startDaemon(deps: DaemonDeps): Promise<Daemon> {
  const { config, keyRing } = deps;
  const store = await openStore(config, keyRing);
  try {
    return await serveStore(store, deps);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** As startDaemon, on a store that the caller opened and closes when this rejects. */
export async function serveStore(
  opened: TokenStore,
  { config, tls, policy, keyRing, logger, metrics }: DaemonDeps,
): Promise<Daemon> {
  const { limits } = config;
  const store = withStoreMetrics(withReadDeadline(opened, limits.storeTimeoutMs), metrics.store);
  const table = createRevocationTable();
  const feed = createRevocationFeed({
    now: () => performance.now(),
    schedule: (task, delayMs) => void setTimeout(task, delayMs).unref(),
  });
  const fence = createFence({ store, table, listener: feed });
  const batcher = createReadBatcher({ fence, schedule: setImmediate });
  const rates = createRates(() => performance.now());
  const readiness = createReadiness();
  const introspect = createIntrospect({ keyRing, fence, batcher, table, now: Date.now });
  metrics.observeState({ isReady: () => readiness.state() === 'ready', liveRevocations: () => table.size });
  const credentials = createServerCredentials(tls);
  const grpc = createGrpcServer({
    credentials,
    policy,
    core: {
      introspect: withAnswerMetrics(limitIntrospect(introspect, rates), metrics.answers),
      register: limitRegister(createRegister({ keyRing, store }), rates),
      revoke: createRevoke({ keyRing, store, fence, maxUnknownTombstones: limits.unknownTombstones, rates }),
      watches: createWatches({
        feed,
        views: createCallerViews({
          issuerTag: keyRing.issuerTag,
          sealTags: keyRing.sealTags,
          encodeEvents,
        }),
        store,
        read: batcher.read,
        maxQueued: limits.watchQueue,
      }),
      sealTags: keyRing.sealTags,
    },
    authorization: wireAuthorization({
      config,
      introspect: withAnswerMetrics(introspect, metrics.answers),
      ...{ rates, logger, metrics },
    }),
    limits,
    readiness,
    telemetry: {
      logger,
      digestToken: (token) => keyRing.logDigest(tokenSha256(token as Token)),
      observer: metrics.calls,
      watchObserver: metrics.watches,
    },
  });
  if (config.reflection) {
    const { createReflectionIndex } = await import('../grpc/reflection-index.js');
    grpc.serveReflection(createReflectionIndex(readDescriptors()));
  }
  const ops = createOpsServer({ readiness, scrape: metrics.scrape });
  const watch = await watchStore({ store, fence, readiness, logger });

  const stop = async (times: DrainTimes): Promise<void> => {
    // The ops port goes on: whoever asks is told that it drains.
    await grpc.drain(times);
    watch.stop();
    await ops.close();
    await metrics.stop();
    await store.close();
  };
  try {
    const listen = await bind('listen', config.listen, (address) => grpc.listen(formatAddress(address)));
    const opsListen = await bind('ops_listen', config.opsListen, (address) => ops.listen(address));
    return { listen, opsListen, replaceTls: (material) => credentials.replace(material), stop };
  } catch (error) {
    watch.stop();
    await grpc.drain({ noticeMs: 0, budgetMs: 0 });
    throw error;
  }
}

async function bind(
  setting: string,
  address: Address,
  listen: (address: Address) => Promise<{ readonly port: number }>,
): Promise<string> {
  try {
    return formatAddress({ host: address.host, port: (await listen(address)).port });
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    const code = /\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? 'unknown fault';
    throw new CliError(
      1,
      `cannot listen on ${formatAddress(address)} (${code})`,
      code === 'EADDRINUSE'
        ? `Another process does; is it another introspectd? Give another address for ${setting}.`
        : `Give an address of this machine, and a port that this user may use, for ${setting}.`,
    );
  }
}
