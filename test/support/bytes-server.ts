// A plain server of grpc-js, without TLS, whose messages are bytes.
import { after } from 'node:test';
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerOptions,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

type BytesMethod = MethodDefinition<Buffer, Buffer>;

/** A message of no bytes, as it stands on the wire. */
export const EMPTY_MESSAGE = Buffer.alloc(5);
const same = (message: Buffer) => message;

export function bytesMethod(path: string, isStream = false): BytesMethod {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Ends with the test file. */
export async function startBytesServer(
  methods: Readonly<Record<string, BytesMethod>>,
  handlers: UntypedServiceImplementation,
  options: ServerOptions = {},
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = new Server(options);
  server.addService(methods, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  after(() => server.forceShutdown());
  return { server, port };
}
