import { readFileSync } from 'node:fs';
import { ChannelCredentials } from '@grpc/grpc-js';

/** Credentials for generated clients, from the paths that a workspace gives. */
export function createTestCredentials(tls: {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}): ChannelCredentials {
  return ChannelCredentials.createSsl(readFileSync(tls.caFile), readFileSync(tls.keyFile), readFileSync(tls.certFile));
}
