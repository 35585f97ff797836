// A real gRPC server over real mutual TLS that answers what the test says, down to the bytes; and a client of it.
import { promisify } from 'node:util';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import {
  createIntrospectionClient,
  type IntrospectionClient,
  type IntrospectionClientOptions,
} from '@introspectd/client';
import {
  type BatchIntrospectRequest,
  IntrospectionServiceService,
  type IntrospectRequest,
  type RevokeRequest,
  type StreamIntrospectRequest,
  type StreamIntrospectResponse,
  type WatchRevocationsRequest,
  type WatchRevocationsResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { createTestCa, type TestIdentity } from '../../support/test-ca.js';

/** Answers with the bytes of a response message. */
export type Script<Request> = (call: ServerUnaryCall<Request, Uint8Array>, reply: sendUnaryData<Uint8Array>) => void;

export interface Scripts {
  readonly introspect?: Script<IntrospectRequest>;
  readonly batchIntrospect?: Script<BatchIntrospectRequest>;
  readonly revoke?: Script<RevokeRequest>;
  readonly watchRevocations?: (stream: WatchCall) => void;
  readonly streamIntrospect?: (stream: StreamCall) => void;
}

export type StreamCall = ServerDuplexStream<StreamIntrospectRequest, StreamIntrospectResponse>;

export type WatchCall = ServerDuplexStream<WatchRevocationsRequest, WatchRevocationsResponse>;

export interface ScriptedServer {
  readonly target: string;
  /** A client whose certificate the server trusts. Closed with the server. */
  connect(options?: Partial<IntrospectionClientOptions>): IntrospectionClient;
  stop(): Promise<void>;
}

export const authority = await createTestCa('test authority');
export const serverLeaf = await authority.issue({ dnsNames: ['localhost'] });
export const clientLeaf = await authority.issue({ uris: ['spiffe://mesh.example/orders'] });
export const clientTls = toClientTls(clientLeaf);

export function toClientTls(leaf: TestIdentity, ca: TestIdentity = authority) {
  return { ca: ca.certPem, cert: leaf.certPem, key: leaf.keyPem };
}

export async function startScriptedServer(scripts: Scripts, leaf: TestIdentity = serverLeaf): Promise<ScriptedServer> {
  const server = new Server();
  const { introspect, batchIntrospect, revoke, watchRevocations, streamIntrospect } = IntrospectionServiceService;
  const responseSerialize = (bytes: Uint8Array) => Buffer.from(bytes);
  server.addService(
    {
      introspect: { ...introspect, responseSerialize },
      batchIntrospect: { ...batchIntrospect, responseSerialize },
      revoke: { ...revoke, responseSerialize },
      watchRevocations,
      streamIntrospect,
    },
    { ...scripts },
  );
  const credentials = ServerCredentials.createSsl(
    Buffer.from(authority.certPem),
    [{ cert_chain: Buffer.from(leaf.certPem), private_key: Buffer.from(leaf.keyPem) }],
    true,
  );
  const port = await promisify(server.bindAsync.bind(server))('localhost:0', credentials);
  const clients: IntrospectionClient[] = [];
  return {
    target: `localhost:${port}`,
    connect: (options = {}) => {
      const client = createIntrospectionClient({
        target: `localhost:${port}`,
        tls: clientTls,
        timeoutMs: 5_000,
        ...options,
      });
      clients.push(client);
      return client;
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()));
      server.forceShutdown();
    },
  };
}
