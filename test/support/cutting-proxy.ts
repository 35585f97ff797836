// Stands between a client and a server; cuts connections in the middle of a reply, or leaves them half open.
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** Of what the server says on a connection, only so much, then a reset; undefined = all. */
  cutAfterBytes(count: number | undefined): void;
  /** Of a connection that swallows, nothing comes through any more, in neither direction, ever. */
  swallow(what: 'all' | 'nothing'): void;
  /** What the server says comes so much later. */
  delay(ms: number): void;
  close(): Promise<void>;
}

/** `target`: the path of a Unix socket, or a port of this machine. */
export async function startCuttingProxy(target: string | number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const dead = new WeakSet<Socket>();
  let left: number | undefined;
  let swallowed: 'all' | 'nothing' = 'nothing';
  let delayMs = 0;
  const server: Server = createServer((client) => {
    const upstream = typeof target === 'string' ? createConnection(target) : createConnection(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    const isDead = (): boolean => {
      if (swallowed === 'all') dead.add(client);
      return dead.has(client);
    };
    client.on('data', (chunk: Buffer) => void (isDead() || upstream.write(chunk)));
    let lastAtMs = 0;
    upstream.on('data', (chunk: Buffer) => {
      if (isDead()) return;
      // In order, also when the delay becomes shorter.
      lastAtMs = Math.max(lastAtMs, performance.now() + delayMs);
      if (delayMs > 0 || lastAtMs > performance.now()) setTimeout(pass, lastAtMs - performance.now(), chunk);
      else pass(chunk);
    });
    const pass = (chunk: Buffer): void => {
      if (left === undefined) {
        client.write(chunk);
        return;
      }
      client.write(chunk.subarray(0, left));
      left = Math.max(0, left - chunk.length);
      if (left === 0) client.resetAndDestroy();
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cutAfterBytes: (count) => {
      left = count;
    },
    swallow: (what) => {
      swallowed = what;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
