import type { Http2SecureServer } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** grpc-js 1.14 keeps them private. A version that moves them fails every listen(), not what watches them in silence. */
export function getListeningServers(server: Server): readonly Http2SecureServer[] {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  if (http2Servers === undefined || http2Servers.size === 0) {
    throw new Error('this version of @grpc/grpc-js keeps its listening servers elsewhere');
  }
  return [...http2Servers.keys()];
}
