// IntrospectionService without TLS: composed here, of the shipped parts, because nothing in src serves
// plaintext and no configuration can make it. Without a certificate there is no peer to look at: each port has its caller.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { openStore } from '../src/cli/open-store.js';
import { createProcessFacts } from '../src/cli/process-facts.js';
import { tuneCollector } from '../src/cli/tune-collector.js';
import { readKeysFile } from '../src/config/keys-file.js';
import { parsePolicyFile } from '../src/config/policy-file.js';
import { createFence } from '../src/core/fence.js';
import { createIntrospect } from '../src/core/introspect.js';
import { type Caller, createPolicy } from '../src/core/policy.js';
import { createRates, limitIntrospect } from '../src/core/rates.js';
import { createReadBatcher } from '../src/core/read-batcher.js';
import { createRevocationTable } from '../src/core/revocation-table.js';
import { createRevoke } from '../src/core/revoke.js';
import { type Token, tokenSha256 } from '../src/core/token.js';
import { IntrospectionServiceService } from '../src/gen/introspectd/v1/introspection_service.js';
import { guardConnections } from '../src/grpc/connection-guard.js';
import { createInFlight } from '../src/grpc/in-flight.js';
import { createIntrospectionService } from '../src/grpc/introspection-service.js';
import { createAnswerEncoder } from '../src/grpc/response-encoding.js';
import { toBytesService } from '../src/grpc/service-definition.js';
import { createUnaryAdapter } from '../src/grpc/unary.js';
import { yieldToCalls } from '../src/grpc/yield-to-calls.js';
import { withReadDeadline } from '../src/store/read-deadline.js';
import { withAnswerMetrics } from '../src/telemetry/answer-metrics.js';
import { createAudit } from '../src/telemetry/audit.js';
import { createCallLog } from '../src/telemetry/call-log.js';
import { createLogger } from '../src/telemetry/logger.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { withStoreMetrics } from '../src/telemetry/store-metrics.js';
import { readBenchConfig } from './bench-config.js';
import { BENCH_SERVER_OPTIONS } from './bench-server-options.js';
import { bindServer } from './bind-server.js';
import { answerParent } from './child.js';

export interface PlaintextQuestion {
  /** Those of a daemon that runs on the same store. */
  readonly configFile: string;
  readonly keysFile: string;
  readonly policyFile: string;
  /** One identity of each caller; each gets a port. */
  readonly identities: readonly string[];
}

tuneCollector();
answerParent(async (question: PlaintextQuestion): Promise<readonly number[]> => {
  const { configFile, keysFile, policyFile, identities } = question;
  const config = readBenchConfig(configFile);
  const { keyRing } = await readKeysFile(keysFile);
  const policy = createPolicy(parsePolicyFile(readFileSync(policyFile, 'utf8'), policyFile));
  const store = await openStore(config, keyRing);
  const table = createRevocationTable();
  const metrics = createMetrics(createProcessFacts());
  const measured = withStoreMetrics(withReadDeadline(store, config.limits.storeTimeoutMs), metrics.store);
  const fence = createFence({ store: measured, table });
  const batcher = createReadBatcher({ fence, schedule: setImmediate });
  const rates = createRates(() => performance.now());
  const judged = createIntrospect({ keyRing, fence, batcher, table, now: Date.now });
  const introspect = withAnswerMetrics(limitIntrospect(judged, rates), metrics.answers);
  const revoke = createRevoke({ keyRing, store, fence, maxUnknownTombstones: 0, rates });
  const logger = createLogger({ level: 'info', service: 'bench', destination: { write: () => undefined } });
  const digestToken = (token: string) => keyRing.logDigest(tokenSha256(token as Token));

  async function serve(caller: Caller): Promise<number> {
    const inFlight = createInFlight(config.limits.inflight);
    const callLog = createCallLog({ logger, digestToken });
    const callDeps = { findCaller: () => caller, inFlight, callLog, observer: metrics.calls };
    const unary = createUnaryAdapter(callDeps);
    const adapters = { unary, revokeUnary: unary, streamIntrospect: notServed, watch: notServed };
    const server = new Server(BENCH_SERVER_OPTIONS);
    server.addService(
      toBytesService(IntrospectionServiceService),
      createIntrospectionService({
        introspect,
        revoke,
        limits: config.limits,
        audit: createAudit(logger),
        digestToken,
        answers: createAnswerEncoder({ sealTags: keyRing.sealTags, cacheAgeMs: 60_000 }),
        adapters,
        waitingRoom: inFlight,
        bulk: {
          room: createInFlight(config.limits.inflight),
          lowPriority: yieldToCalls(inFlight, config.limits.inflight),
        },
      }),
    );
    const port = await bindServer(server, ServerCredentials.createInsecure());
    guardConnections(server);
    return port;
  }

  return Promise.all(identities.map((identity) => serve(policy.getCaller([identity]))));
});

function notServed(call: { destroy(): void }): void {
  call.destroy();
}
