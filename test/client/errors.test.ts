// Every status becomes one error that says what to do next; none becomes an answer.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect, promisify } from 'node:util';
import { credentials, Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { type IntrospectionClient, IntrospectionError, toIntrospectionError } from '@introspectd/client';
import { Status } from '@introspectd/client/gen/google/rpc/status';
import { TokenRegistryServiceClient } from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { type ScriptedServer, startScriptedServer } from './support/scripted-server.js';
import { badRequest, detailsMetadata, errorInfo, retryInfo, rpcStatus } from './support/status-details.js';

const TOKEN = 'canary-token-2YotnFZFEjr1zCsicMWpAA';

interface Row {
  readonly name: string;
  readonly code: number;
  readonly metadata?: Metadata;
  readonly expect: Partial<IntrospectionError>;
}

function withDetails(code: number, ...details: Parameters<typeof rpcStatus>[2]): Metadata {
  return detailsMetadata(Status.encode(rpcStatus(code, 'fixed text', details)).finish());
}

const CODES = Object.entries(status).filter(([, code]) => typeof code === 'number' && code !== status.OK);

const ROWS: readonly Row[] = [
  ...CODES.map(([name, code]) => ({
    name: `${name} without details`,
    code: Number(code),
    expect: {
      code: name as IntrospectionError['code'],
      reason: undefined,
      retryable: name === 'UNAVAILABLE',
      retryDelayMs: undefined,
      violations: [],
    },
  })),
  {
    name: 'an outage of the store',
    code: status.UNAVAILABLE,
    metadata: withDetails(status.UNAVAILABLE, errorInfo('STORE_UNAVAILABLE'), retryInfo(0, 50_000_000)),
    expect: { code: 'UNAVAILABLE', reason: 'STORE_UNAVAILABLE', retryable: true, retryDelayMs: 50 },
  },
  {
    name: 'overload',
    code: status.RESOURCE_EXHAUSTED,
    metadata: withDetails(status.RESOURCE_EXHAUSTED, errorInfo('OVERLOADED'), retryInfo(1, 500_000_000)),
    expect: { code: 'RESOURCE_EXHAUSTED', reason: 'OVERLOADED', retryable: true, retryDelayMs: 1_500 },
  },
  {
    name: 'a negative delay',
    code: status.RESOURCE_EXHAUSTED,
    metadata: withDetails(status.RESOURCE_EXHAUSTED, retryInfo(-3, 0)),
    expect: { retryable: true, retryDelayMs: 0 },
  },
  {
    name: 'a field at fault',
    code: status.INVALID_ARGUMENT,
    metadata: withDetails(status.INVALID_ARGUMENT, errorInfo('TOKEN_TOO_LONG'), badRequest('token', 'too long')),
    expect: {
      code: 'INVALID_ARGUMENT',
      reason: 'TOKEN_TOO_LONG',
      retryable: false,
      violations: [{ field: 'token', description: 'too long' }],
    },
  },
  {
    name: 'a reason of somebody else',
    code: status.PERMISSION_DENIED,
    metadata: withDetails(status.PERMISSION_DENIED, errorInfo('CALLER_UNKNOWN', 'proxy.example')),
    expect: { code: 'PERMISSION_DENIED', reason: undefined, retryable: false },
  },
  {
    name: 'details that cannot be read',
    code: status.UNAVAILABLE,
    metadata: detailsMetadata(Buffer.from('ffffffffff', 'hex')),
    expect: { code: 'UNAVAILABLE', reason: undefined, retryable: true },
  },
  {
    name: 'details with an unreadable part',
    code: status.UNAVAILABLE,
    metadata: withDetails(status.UNAVAILABLE, errorInfo('DRAINING'), {
      ...errorInfo('x'),
      value: Buffer.from('ff', 'hex'),
    }),
    expect: { code: 'UNAVAILABLE', reason: 'DRAINING', retryable: true },
  },
  { name: 'a code that gRPC does not have', code: 99, expect: { code: 'UNKNOWN', retryable: false } },
  // grpc-js: "No message received".
  { name: 'OK without an answer', code: status.OK, expect: { code: 'UNIMPLEMENTED', retryable: false } },
];

describe('errors', () => {
  let server: ScriptedServer;
  let client: IntrospectionClient;
  let failure: Partial<StatusObject>;

  before(async () => {
    const fail = (_call: unknown, reply: (error: Partial<StatusObject>) => void) => reply(failure);
    server = await startScriptedServer({ introspect: fail, batchIntrospect: fail, revoke: fail });
    client = server.connect();
  });
  after(() => server.stop());

  for (const { name, code, metadata = new Metadata(), expect } of ROWS) {
    it(`${name}: every call rejects`, async () => {
      failure = { code, details: 'fixed text', metadata };
      for (const call of [
        () => client.introspect(TOKEN),
        () => client.introspectMany([TOKEN]),
        () => client.revoke(TOKEN, { reason: 'leaked' }),
      ]) {
        const error = await call().then(
          () => assert.fail('resolved'),
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof IntrospectionError);
        const { code, reason, retryable, retryDelayMs, violations } = error;
        const actual: Partial<IntrospectionError> = { code, reason, retryable, retryDelayMs, violations };
        assert.deepEqual({ ...actual, ...expect }, actual);
        if (expect.code !== 'UNIMPLEMENTED') assert.equal(error.message, 'fixed text');
        assert.ok(!inspect(error, { depth: null }).includes(TOKEN));
      }
    });
  }

  it('converts the errors of raw calls', async () => {
    failure = { code: status.UNAVAILABLE, details: 'fixed text', metadata: withDetails(14, errorInfo('DRAINING')) };
    const introspect = promisify(
      client.raw.introspect.bind(client.raw) as (request: unknown, done: () => void) => void,
    );
    const request = { token: TOKEN, tokenTypeHint: '', audiences: [], includeTags: false };
    await assert.rejects(introspect(request), (error) => {
      const { code, reason, message } = toIntrospectionError(error as ServiceError);
      assert.deepEqual([code, reason, message], ['UNAVAILABLE', 'DRAINING', 'fixed text']);
      return true;
    });
  });

  it('lends its connections to the stubs of other services', async () => {
    const registry = new TokenRegistryServiceClient('unused', credentials.createInsecure(), {
      channelOverride: client.raw.getChannel(),
    });
    const error = await new Promise<ServiceError | null>((resolve) => {
      registry.registerTokens({ entries: [] }, resolve);
    });
    assert.ok(error);
    assert.equal(toIntrospectionError(error).code, 'UNIMPLEMENTED');
  });

  const BAD_TOKENS: readonly unknown[] = [undefined, null, 1, ['t'], {}, Buffer.from('t')];
  it('refuses a token that is no string, without a call', async () => {
    failure = { code: status.UNAVAILABLE, details: 'called' };
    for (const token of BAD_TOKENS as readonly string[]) {
      for (const call of [client.introspect(token), client.introspectMany(['t', token]), client.revoke(token)]) {
        await assert.rejects(call, { name: 'IntrospectionError', code: 'INVALID_ARGUMENT' });
      }
    }
  });
});
