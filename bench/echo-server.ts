// The ceiling: grpc-js with a handler that does nothing, over both transports. Messages are bytes, as in src/grpc.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { createServerCredentials } from '../src/grpc/credentials.js';
import { BENCH_SERVER_OPTIONS } from './bench-server-options.js';
import { bindServer } from './bind-server.js';
import { answerParent } from './child.js';
import { toEchoPath } from './echo-path.js';
import type { PeerPorts, PeerTls } from './peers/peer-ports.js';

export interface EchoQuestion {
  /** Of messages that it can answer with, unframed: the method "/bench.Echo/Bytes120" answers with 120. */
  readonly answerBytes: readonly number[];
  /** Paths, for mutual TLS. */
  readonly tls: PeerTls;
}

answerParent(async ({ answerBytes, tls }: EchoQuestion): Promise<PeerPorts> => {
  const server = new Server(BENCH_SERVER_OPTIONS);
  for (const size of answerBytes) {
    const answer = Buffer.alloc(size, 'x');
    server.register(
      toEchoPath(size),
      (_call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => callback(null, answer),
      asIs,
      asIs,
      'unary',
    );
  }
  const credentials = createServerCredentials({
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    clientCa: readFileSync(tls.caFile),
  });
  return {
    pid: process.pid,
    plaintext: await bindServer(server, ServerCredentials.createInsecure()),
    mtls: await bindServer(server, credentials),
  };
});

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
