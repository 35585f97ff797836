// A peer that speaks TLS and HTTP/2 by hand, with a certificate that is good, and manners that are not.
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface PeerAddress {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface HostilePeer {
  readonly session: ClientHttp2Session;
  /** A call of a unary method whose request is still open. */
  call(path: string, headers?: Readonly<Record<string, string>>): ClientHttp2Stream;
  close(): void;
}

export const INTROSPECT = '/introspectd.v1.IntrospectionService/Introspect';
export const BATCH_INTROSPECT = '/introspectd.v1.IntrospectionService/BatchIntrospect';

export async function openTls(address: PeerAddress): Promise<TLSSocket> {
  const socket = connectTls({ ...address, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  return socket.on('error', () => undefined);
}

export async function openPeer(address: PeerAddress): Promise<HostilePeer> {
  const socket = await openTls(address);
  const session = connectHttp2('https://localhost', { createConnection: () => socket });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return {
    session,
    call: (path, headers = {}) => {
      const own = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
      return session.request({ ...own, ...headers }, { endStream: false }).on('error', () => undefined);
    },
    // Not session.destroy(): of a client with one stream reset and another open it does not return (Node 20.20.2).
    close: () => socket.destroy(),
  };
}

/** A message as gRPC puts it on the wire; `length` may lie. */
export function toFrame(message: Uint8Array, { isCompressed = false, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(isCompressed ? 1 : 0, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** How the call ended: its grpc-status, or the code of the reset. */
export async function outcomeOf(stream: ClientHttp2Stream): Promise<string> {
  let status: unknown;
  const read = (headers: Readonly<Record<string, unknown>>) => {
    status ??= headers['grpc-status'];
  };
  stream.on('response', read).on('trailers', read).resume();
  if (!stream.closed) {
    await new Promise<void>((resolve) => {
      stream.once('close', resolve);
    });
  }
  return status === undefined ? `reset ${stream.rstCode}` : `status ${status}`;
}
