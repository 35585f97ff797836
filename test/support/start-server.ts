// A real gRPC server over real mTLS on a free port, with answers that a test scripts, and clients of named callers.
import { type ChannelCredentials, credentials as channelCredentials, type ServerCredentials } from '@grpc/grpc-js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Introspect } from '../../src/core/introspect.js';
import { TAG_KINDS, type TagKind } from '../../src/core/key-ring.js';
import { createPolicy, type Permission, type Policy } from '../../src/core/policy.js';
import type { Register } from '../../src/core/register.js';
import type { Revoke } from '../../src/core/revoke.js';
import type { TagSeal } from '../../src/core/tag-seal.js';
import type { Cursor } from '../../src/core/token-store.js';
import type { Watches } from '../../src/core/watches.js';
import { HealthClient } from '../../src/gen/grpc/health/v1/health.js';
import { IntrospectionServiceClient } from '../../src/gen/introspectd/v1/introspection_service.js';
import { TokenRegistryServiceClient } from '../../src/gen/introspectd/v1/token_registry_service.js';
import { createServerCredentials } from '../../src/grpc/credentials.js';
import type { GrpcLimits } from '../../src/grpc/limits.js';
import { createReadiness, type Readiness } from '../../src/grpc/readiness.js';
import { createGrpcServer, type GrpcServer, type GrpcServerDeps } from '../../src/grpc/server.js';
import type { CallObserver } from '../../src/telemetry/call-metrics.js';
import { createLogger, type LogLevel } from '../../src/telemetry/logger.js';
import { createTestCa, type TestCa, type TestIdentity } from './test-ca.js';

export const ISSUER = 'https://login.test';
export const AUDIENCE = 'https://orders.test';
export const TRUST_DOMAIN = 'spiffe://mesh.test';

const ALL: readonly Permission[] = ['introspect', 'batch', 'stream', 'watch', 'register', 'check'];

/** Callers of the default policy: name -> permissions; each has the identity spiffe://mesh.test/<name>. */
const CALLERS: Readonly<Record<string, readonly Permission[]>> = {
  orders: ALL,
  auditor: [...ALL, 'explain'],
  nobody: [],
};

const REVOKES: Readonly<Record<string, readonly TagKind[]>> = {
  orders: ['token', 'jti', 'subject_client', 'issuer'],
  auditor: TAG_KINDS,
};

export interface TestServerRequest {
  readonly introspect?: Introspect;
  readonly register?: Register;
  readonly revoke?: Revoke;
  readonly authorization?: GrpcServerDeps['authorization'];
  readonly policy?: () => Policy;
  readonly limits?: Partial<GrpcLimits>;
  readonly logLevel?: LogLevel;
  readonly observer?: CallObserver;
  /** Default: those of the test CA. */
  readonly credentials?: ServerCredentials;
}

/** Ends with the block it is declared in (`await using`), or by close(). */
export interface TestServer extends AsyncDisposable {
  readonly grpc: GrpcServer;
  readonly target: string;
  readonly readiness: Readiness;
  /** Each record parsed; `raw` as written. */
  records(): readonly LogRecord[];
  raw(): string;
  /** Clients on a connection of their own. */
  connect(credentials: ChannelCredentials): TestClients;
  /** Clients of a caller of the default policy. */
  connectAs(caller: string): Promise<TestClients>;
  close(): Promise<void>;
}

type LogField = 'level' | 'msg' | 'time' | 'caller' | 'method' | 'code' | 'request_id' | 'token' | 'count' | 'reason';
type CallField = 'detail' | 'error' | 'error_code' | 'duration_ms';
type AuditField = 'action' | 'outcome' | 'kind' | 'iss' | 'value' | 'refused' | 'revision';
type LogRecord = Readonly<Partial<Record<LogField | CallField | AuditField, unknown>>>;

export interface TestClients {
  readonly introspection: IntrospectionServiceClient;
  readonly registry: TokenRegistryServiceClient;
  readonly health: HealthClient;
}

export const CURSOR = '7-cursor' as Cursor;

export const INACTIVE_TO_ALL: Introspect = {
  one: async () => ({ active: false, reason: 'NOT_FOUND' }),
  many: async (_command, items) =>
    items.map((item) => (item instanceof Error ? item : { active: false, reason: 'NOT_FOUND' })),
};
const registerAll: Register['many'] = async (_caller, items) =>
  items.map((item) => (item instanceof Error ? item : undefined));
export const REGISTERS_ALL: Register = { many: registerAll, rehearse: registerAll };
const REVOKED = { revision: CURSOR, leasesEndInMs: 0, iss: ISSUER, beforeMs: 253402300799999 };
export const REVOKES_ALL: Revoke = { token: async () => REVOKED, allOf: async () => REVOKED };

/** No log to watch. */
const NO_WATCHES: Watches = {
  open: () => Promise.reject(new StoreUnavailable('no store')),
  resume: () => Promise.reject(new StoreUnavailable('no store')),
  createRenewals: () => ({ ask: () => undefined }),
};
const UNSEALED: TagSeal = (_caller, tags) => Buffer.concat([tags, tags]);

const NO_METRICS: CallObserver = {
  observe: () => undefined,
  observeChunk: () => undefined,
  observeHandshakeFailure: () => undefined,
  observeInFlight: () => undefined,
};

const LIMITS: GrpcLimits = {
  batchTokens: 1000,
  registerItems: 500,
  tokenBytes: 4096,
  claimsBytes: 3500,
  inflight: 2000,
  connectionAgeMs: 600_000,
  cacheAgeMs: 60_000,
  watchers: 10,
};

let ca: Promise<TestCa> | undefined;
/** One for all tests of a file. */
export function getTestCa(): Promise<TestCa> {
  ca ??= createTestCa('introspectd test CA');
  return ca;
}

export async function createTestServerCredentials(crl?: string): Promise<ReturnType<typeof createServerCredentials>> {
  const testCa = await getTestCa();
  const { certPem, keyPem } = await testCa.issue({ dnsNames: ['localhost'] });
  return createServerCredentials({
    cert: Buffer.from(certPem),
    key: Buffer.from(keyPem),
    clientCa: Buffer.from(testCa.certPem),
    crl: crl === undefined ? undefined : Buffer.from(crl),
  });
}

/** With `permissions`, all callers have these. */
export function createTestPolicy(permissions?: readonly Permission[]): Policy {
  return createPolicy(
    Object.entries(CALLERS).map(([name, own]) => ({
      name,
      identities: [`${TRUST_DOMAIN}/${name}`],
      permissions: permissions ?? own,
      revoke: REVOKES[name] ?? [],
      issuers: [ISSUER],
      audiences: [AUDIENCE],
      tokenUse: undefined,
      claims: undefined,
    })),
  );
}

export async function startTestServer(request: TestServerRequest = {}): Promise<TestServer> {
  const policy = createTestPolicy();
  const lines: string[] = [];
  const readiness = createReadiness();
  readiness.set('ready');
  const grpc = createGrpcServer({
    credentials: request.credentials ?? (await createTestServerCredentials()),
    policy: request.policy ?? (() => policy),
    core: {
      introspect: request.introspect ?? INACTIVE_TO_ALL,
      register: request.register ?? REGISTERS_ALL,
      revoke: request.revoke ?? REVOKES_ALL,
      watches: NO_WATCHES,
      sealTags: UNSEALED,
    },
    authorization: request.authorization ?? (() => ({})),
    limits: { ...LIMITS, ...request.limits },
    readiness,
    telemetry: {
      logger: createLogger({
        level: request.logLevel ?? 'debug',
        service: 'introspectd',
        destination: { write: (line: string) => lines.push(line) },
      }),
      digestToken: (token) => `digest-of-${token.length}`,
      observer: request.observer ?? NO_METRICS,
      watchObserver: { sentEvents: () => undefined, sentReset: () => undefined },
    },
  });
  const { port } = await grpc.listen('127.0.0.1:0');
  const target = `127.0.0.1:${port}`;
  const open: { close(): void }[] = [];
  const close = async () => {
    for (const client of open) client.close();
    await grpc.drain({ noticeMs: 0, budgetMs: 0 });
  };

  const connect = (credentials: ChannelCredentials): TestClients => {
    // A pool of its own: a connection with other credentials must never be shared. The name is that of the certificate.
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'localhost' };
    const introspection = new IntrospectionServiceClient(target, credentials, options);
    const channelOverride = introspection.getChannel();
    const clients = {
      introspection,
      registry: new TokenRegistryServiceClient(target, credentials, { channelOverride }),
      health: new HealthClient(target, credentials, { channelOverride }),
    };
    open.push(introspection);
    return clients;
  };

  return {
    close,
    [Symbol.asyncDispose]: close,
    grpc,
    target,
    readiness,
    records: () => lines.map((line) => JSON.parse(line) as LogRecord),
    raw: () => lines.join(''),
    connect,
    connectAs: async (caller) => {
      const testCa = await getTestCa();
      const identity = await testCa.issue({ uris: [`${TRUST_DOMAIN}/${caller}`] });
      return connect(toChannelCredentials(testCa, identity));
    },
  };
}

export function toChannelCredentials(server: TestIdentity, client: TestIdentity): ChannelCredentials {
  const [root, key, cert] = [server.certPem, client.keyPem, client.certPem].map((pem) => Buffer.from(pem));
  return channelCredentials.createSsl(root, key, cert);
}
