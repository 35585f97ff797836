import type { Server, ServerCredentials } from '@grpc/grpc-js';

/** On a free port of the loopback interface, which it resolves with. */
export function bindServer(server: Server, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}
