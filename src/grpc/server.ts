// The gRPC server: its services, its limits, and how it ends.
import { Server, type ServerCredentials, type ServerOptions, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Introspect } from '../core/introspect.js';
import type { Policy } from '../core/policy.js';
import type { Register } from '../core/register.js';
import type { Revoke } from '../core/revoke.js';
import type { TagSeal } from '../core/tag-seal.js';
import type { Watches } from '../core/watches.js';
import { AuthorizationService } from '../gen/envoy/service/auth/v3/external_auth.js';
import { HealthService } from '../gen/grpc/health/v1/health.js';
import { ServerReflectionService } from '../gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionService as ServerReflectionAlphaService } from '../gen/grpc/reflection/v1alpha/reflection.js';
import { IntrospectionServiceService } from '../gen/introspectd/v1/introspection_service.js';
import { TokenRegistryServiceService } from '../gen/introspectd/v1/token_registry_service.js';
import { createAudit } from '../telemetry/audit.js';
import { createCallLog } from '../telemetry/call-log.js';
import type { CallObserver } from '../telemetry/call-metrics.js';
import type { Logger } from '../telemetry/logger.js';
import type { WatchObserver } from '../telemetry/watch-metrics.js';
import { createBidiStreamAdapter } from './bidi-stream.js';
import { createChunkStreamAdapter } from './chunk-stream.js';
import { guardConnections } from './connection-guard.js';
import { createDrain, type Drain } from './drain.js';
import { watchHandshakes } from './handshakes.js';
import { createHealthService } from './health-service.js';
import { createImportStreamMethod } from './import-stream.js';
import { createInFlight } from './in-flight.js';
import { createIntrospectStreamMethod } from './introspect-stream.js';
import { createIntrospectionService } from './introspection-service.js';
import type { GrpcLimits } from './limits.js';
import { createCallerFinder } from './peer.js';
import type { Readiness } from './readiness.js';
import type { ReflectionIndex } from './reflection-index.js';
import { createReflectionService } from './reflection-service.js';
import { createRegistryService } from './registry-service.js';
import { createAnswerEncoder } from './response-encoding.js';
import { createServerStreamAdapter } from './server-stream.js';
import { toBytesService, toServiceName } from './service-definition.js';
import { createUnaryAdapter, type UnaryAdapter } from './unary.js';
import { createWatchStream } from './watch-stream.js';
import { yieldToCalls } from './yield-to-calls.js';

export interface GrpcServerDeps {
  /** From createServerCredentials(). */
  readonly credentials: ServerCredentials;
  /** Asked at every call. */
  readonly policy: () => Policy;
  readonly core: {
    readonly introspect: Introspect;
    readonly register: Register;
    readonly revoke: Revoke;
    readonly watches: Watches;
    readonly sealTags: TagSeal;
  };
  /** Makes the handlers of envoy.service.auth.v3.Authorization. */
  readonly authorization: (unary: UnaryAdapter) => UntypedServiceImplementation;
  readonly limits: GrpcLimits;
  readonly readiness: Readiness;
  readonly telemetry: {
    readonly logger: Logger;
    /** A token's digest under the log key: logDigest(tokenSha256(token)). */
    readonly digestToken: (token: string) => string;
    readonly observer: CallObserver;
    readonly watchObserver: WatchObserver;
  };
}

export interface GrpcServer {
  /** "host:port" or "[::1]:port"; port 0 = any free one. Rejects when it cannot be bound. */
  listen(address: string): Promise<{ readonly port: number }>;
  /** From now on it tells every caller of the policy which services there are. */
  serveReflection(index: ReflectionIndex): void;
  /** Ends the server; resolves when the last connection is closed, or by force at the budget. */
  readonly drain: Drain;
}

const REFLECTION = [ServerReflectionService, ServerReflectionAlphaService];
const SERVICES = [
  IntrospectionServiceService,
  TokenRegistryServiceService,
  AuthorizationService,
  HealthService,
  ...REFLECTION,
];

const KIB = 1024;
const MIB = 1024 * KIB;

/** Health and reflection hold no store and no memory, so that only their number counts. */
const MAX_HEALTH_CALLS = 1000;
const MAX_REFLECTION_CALLS = 100;
/** Of chunks. Each holds two requests and two answers, 4 MiB each at most and about 100 KB as a rule. */
const MAX_STREAMS = 64;
const MAX_STREAMS_PER_CONNECTION = 250;
/** node:http2 counts what a connection holds, in MB (10^6 bytes); grpc-js would lift the bound. */
const MAX_SESSION_MEMORY_MB = 32;
const KEEPALIVE_INTERVAL_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const MAX_CONNECTION_IDLE_MS = 300_000;
const MIN_MESSAGE_BYTES = 4 * MIB;
/** Of a request around its tokens and claims: field headers, hints, audiences. */
const MESSAGE_SLACK_BYTES = 64 * KIB;
const ITEM_SLACK_BYTES = 64;

export function createGrpcServer(deps: GrpcServerDeps): GrpcServer {
  const { limits, readiness, telemetry } = deps;
  const server = new Server(toServerOptions(limits));
  const questions = createInFlight(limits.inflight);
  const lowPriority = yieldToCalls(questions, limits.inflight);
  const batches = createInFlight(limits.inflight);
  const streams = createInFlight(MAX_STREAMS);
  const revocations = createInFlight(limits.inflight);
  const waitingRoom = createInFlight(limits.inflight);
  const health = createInFlight(MAX_HEALTH_CALLS);
  const reflections = createInFlight(MAX_REFLECTION_CALLS);
  const watches = createInFlight(limits.watchers);

  const audit = createAudit(telemetry.logger);
  const findCaller = createCallerFinder(deps.policy, Date.now);
  const callLog = createCallLog(telemetry);
  const { observer } = telemetry;
  observer.observeInFlight({
    questions: questions.size,
    batches: batches.size,
    streams: streams.size,
    revocations: revocations.size,
    waiting_for_caches: waitingRoom.size,
    health: health.size,
    reflection: reflections.size,
    watches: watches.size,
  });
  const callDeps = { findCaller, inFlight: questions, callLog, observer };
  const healthDeps = { findCaller, inFlight: health, callLog, observer };
  const answers = createAnswerEncoder({ sealTags: deps.core.sealTags, cacheAgeMs: limits.cacheAgeMs });
  const chunks = createChunkStreamAdapter({ findCaller, inFlight: streams, callLog, observer });
  const adapters = {
    unary: createUnaryAdapter(callDeps),
    revokeUnary: createUnaryAdapter({ findCaller, inFlight: revocations, callLog, observer }),
    streamIntrospect: chunks(
      createIntrospectStreamMethod({ introspect: deps.core.introspect, lowPriority, limits, answers }),
    ),
    importTokens: chunks(createImportStreamMethod({ register: deps.core.register, lowPriority, limits, audit })),
    watch: createWatchStream(
      { findCaller, inFlight: watches, callLog, observer },
      { watches: deps.core.watches, observer: telemetry.watchObserver },
    ),
  };
  const healthAdapters = { unary: createUnaryAdapter(healthDeps), serverStream: createServerStreamAdapter(healthDeps) };

  server.addService(
    toBytesService(IntrospectionServiceService),
    createIntrospectionService({
      ...deps.core,
      ...{ limits, audit, adapters, answers, waitingRoom, bulk: { room: batches, lowPriority } },
      digestToken: telemetry.digestToken,
    }),
  );
  server.addService(
    toBytesService(TokenRegistryServiceService),
    createRegistryService({ register: deps.core.register, limits, audit, adapters }),
  );
  server.addService(toBytesService(AuthorizationService), deps.authorization(adapters.unary));
  server.addService(toBytesService(HealthService), createHealthService({ readiness, adapters: healthAdapters }));

  const bound = new Set<string>();
  return {
    serveReflection: (index) => {
      const adapt = createBidiStreamAdapter({ ...healthDeps, inFlight: reflections });
      const reflection = createReflectionService({ index, services: SERVICES.map(toServiceName), adapt });
      for (const service of REFLECTION) server.addService(toBytesService(service), reflection);
    },
    listen: async (address) => {
      const port = await bind(server, address, deps.credentials);
      guardConnections(server, { ageMs: limits.connectionAgeMs });
      watchHandshakes(server, telemetry);
      bound.add(address.replace(/:\d+$/, `:${port}`));
      return { port };
    },
    drain: createDrain({
      ...{ server, bound, readiness },
      // Streams of chunks answer what is under way, and are cut off at the end like calls.
      calls: [questions, revocations, batches, streams],
      streams: [streams, watches, health, reflections, waitingRoom],
    }),
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

function toServerOptions(limits: GrpcLimits): ServerOptions {
  const batchBytes = limits.batchTokens * (limits.tokenBytes + ITEM_SLACK_BYTES);
  const registerBytes = limits.registerItems * (limits.tokenBytes + limits.claimsBytes + ITEM_SLACK_BYTES);
  return {
    'grpc.max_receive_message_length': Math.max(MIN_MESSAGE_BYTES, batchBytes, registerBytes) + MESSAGE_SLACK_BYTES,
    'grpc-node.max_session_memory': MAX_SESSION_MEMORY_MB,
    'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_connection_idle_ms': MAX_CONNECTION_IDLE_MS,
    // Its counters are readable by whoever can reach the admin services, and leaked before (grpc-node #2068).
    'grpc.enable_channelz': 0,
  };
}
