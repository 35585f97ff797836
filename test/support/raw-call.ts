import { Client, type ServiceError } from '@grpc/grpc-js';
import { createTestCredentials, type TestTls } from './test-credentials.js';

export interface RawAnswer {
  readonly error: ServiceError | null;
  /** The message as it stood on the wire. */
  readonly bytes: Buffer | undefined;
}

export interface RawCaller {
  /** Sends these bytes as the request of a unary method, "/package.Service/Method". */
  call(method: string, request: Uint8Array): Promise<RawAnswer>;
  close(): void;
}

/** Speaks bytes, so that a test sees what a decoder would hide. */
export function createRawCaller(target: string, tls: TestTls): RawCaller {
  const client = new Client(target, createTestCredentials(tls));
  const toBytes = (bytes: Uint8Array) => Buffer.from(bytes);
  return {
    call: (method, request) =>
      new Promise((resolve) => {
        const options = { deadline: Date.now() + 10_000 };
        client.makeUnaryRequest(method, toBytes, toBytes, request, options, (error, bytes) =>
          resolve({ error, bytes }),
        );
      }),
    close: () => client.close(),
  };
}
