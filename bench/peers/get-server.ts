// Started as a process: introspection as one would write it in an afternoon. grpc-js, the generated code, and one GET a
// call, in which the whole answer stands ready; no caller, no revocation, no clock.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { Redis } from 'ioredis';
import { IntrospectRequest } from '../../src/gen/introspectd/v1/introspection_service.js';
import { createServerCredentials } from '../../src/grpc/credentials.js';
import { BENCH_SERVER_OPTIONS } from '../bench-server-options.js';
import { bindServer } from '../bind-server.js';
import { answerParent } from '../child.js';
import { ASKED, PATHS, toToken } from '../corpus.js';
import type { PeerPorts, PeerTls } from './peer-ports.js';

export interface GetQuestion {
  readonly tls: PeerTls;
  readonly redisPort: number;
  /** What is stored for every token. */
  readonly answer: Uint8Array;
}

const FILL_AT_ONCE = 1000;

answerParent(async ({ tls, redisPort, answer }: GetQuestion): Promise<PeerPorts> => {
  const redis = new Redis({ port: redisPort, host: '127.0.0.1' });
  await fill(redis, Buffer.from(answer));
  const server = new Server(BENCH_SERVER_OPTIONS);
  server.register(
    PATHS.introspect,
    ({ request }: ServerUnaryCall<IntrospectRequest, Buffer>, callback: sendUnaryData<Buffer>) => {
      redis.getBuffer(toKey(request.token)).then(
        (found) => callback(null, found ?? Buffer.alloc(0)),
        () => callback({ code: 14 }),
      );
    },
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => IntrospectRequest.decode(bytes),
    'unary',
  );
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

async function fill(redis: Redis, answer: Buffer): Promise<void> {
  for (let first = ASKED.first; first < ASKED.first + ASKED.count; first += FILL_AT_ONCE) {
    const keys = Array.from({ length: FILL_AT_ONCE }, (_, index) => toKey(toToken(first + index)));
    await redis.mset(...keys.flatMap((key) => [key, answer]));
  }
}

function toKey(token: string): string {
  return `bench:get:${hash('sha256', token, 'base64url')}`;
}
