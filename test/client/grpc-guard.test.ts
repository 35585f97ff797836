// The guard in a real gRPC server: what reaches a handler, and how the other calls end.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  ChannelCredentials,
  Client,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type IntrospectionClient, IntrospectionError, type IntrospectionResult } from '@introspectd/client';
import { createGrpcGuard, introspectionOf } from '@introspectd/client/grpc-guard';
import { bytesMethod } from '../support/bytes-server.js';
import { GOOD, GUARD_CASES, type Outcome, REQUIREMENTS } from './guard-cases.js';
import { authority, clientLeaf, serverLeaf } from './support/scripted-server.js';

const ENDINGS: Readonly<Record<Outcome, readonly [code: number, challenge: string | undefined]>> = {
  allowed: [status.OK, undefined],
  no_token: [status.UNAUTHENTICATED, 'Bearer'],
  invalid_request: [status.UNAUTHENTICATED, 'Bearer error="invalid_request"'],
  invalid_token: [status.UNAUTHENTICATED, 'Bearer error="invalid_token"'],
  insufficient_scope: [status.PERMISSION_DENIED, 'Bearer error="insufficient_scope"'],
  unknown: [status.UNAVAILABLE, undefined],
};

describe('a guard in a gRPC server', () => {
  let result: IntrospectionResult | IntrospectionError;
  let handled = 0;
  const introspector: Pick<IntrospectionClient, 'introspect'> = {
    introspect: async () => {
      if (result instanceof IntrospectionError) throw result;
      return result;
    },
  };
  const server = new Server({
    interceptors: [createGrpcGuard(introspector, { ...REQUIREMENTS, exempt: ['/shop.Orders/Open'] })],
  });
  const whoami = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
    handled += 1;
    reply(null, Buffer.from(introspectionOf(call)?.sub ?? 'nobody'));
  };
  let client: Client;

  before(async () => {
    server.addService(
      { get: bytesMethod('/shop.Orders/Get'), open: bytesMethod('/shop.Orders/Open') },
      { get: whoami, open: whoami },
    );
    const [ca, cert, key] = [authority.certPem, serverLeaf.certPem, serverLeaf.keyPem].map((pem) => Buffer.from(pem));
    const credentials = ServerCredentials.createSsl(
      ca ?? null,
      [{ cert_chain: cert as Buffer, private_key: key as Buffer }],
      true,
    );
    const port = await promisify(server.bindAsync.bind(server))('localhost:0', credentials);
    const [own, ownKey] = [clientLeaf.certPem, clientLeaf.keyPem].map((pem) => Buffer.from(pem));
    client = new Client(`localhost:${port}`, ChannelCredentials.createSsl(ca, ownKey, own));
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  function call(path: string, authorization: readonly string[]) {
    const metadata = new Metadata();
    for (const value of authorization) metadata.add('authorization', value);
    return new Promise<{ code: number; challenge: string | undefined; body: string | undefined }>((resolve) => {
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from('?'),
        metadata,
        (error: ServiceError | null, body) => {
          const challenge = error?.metadata.get('www-authenticate')[0];
          resolve({ code: error?.code ?? status.OK, challenge: challenge?.toString(), body: body?.toString() });
        },
      );
    });
  }

  for (const { name, authorization, result: answer = GOOD, expect } of GUARD_CASES) {
    it(`${name}: ${expect}`, async () => {
      result = answer;
      handled = 0;
      const { code, challenge, body } = await call('/shop.Orders/Get', authorization);
      assert.deepEqual([code, challenge], ENDINGS[expect]);
      assert.deepEqual([handled, body], expect === 'allowed' ? [1, 'alice'] : [0, undefined]);
    });
  }

  it('takes a token that is bound to the certificate of the connection', async () => {
    const thumbprint = createHash('sha256').update(new X509Certificate(clientLeaf.certPem).raw).digest('base64url');
    result = { ...GOOD, cnf: { 'x5t#S256': thumbprint } };
    assert.equal((await call('/shop.Orders/Get', ['Bearer t'])).code, status.OK);
    result = { ...GOOD, cnf: { 'x5t#S256': thumbprint, jkt: 'k' } };
    assert.equal((await call('/shop.Orders/Get', ['Bearer t'])).code, status.UNAUTHENTICATED);
  });

  it('leaves exempt methods alone', async () => {
    assert.deepEqual((await call('/shop.Orders/Open', [])).body, 'nobody');
  });
});
