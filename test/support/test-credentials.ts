import { readFileSync } from 'node:fs';
import { ChannelCredentials } from '@grpc/grpc-js';

/** Paths of what a client presents. */
export interface TestTls {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Credentials for generated clients. */
export function createTestCredentials({ caFile, certFile, keyFile }: TestTls): ChannelCredentials {
  return ChannelCredentials.createSsl(readFileSync(caFile), readFileSync(keyFile), readFileSync(certFile));
}
