// Started as a process: a load of small calls over HTTP/2 or HTTP/1.1, mutual TLS or plaintext, that costs its processor a
// fraction of what it costs the server's.
import { once } from 'node:events';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { answerParent } from '../child.js';
import type { Numbering } from '../numbered-body.js';
import type { Connection } from './call.js';
import { driveClosed, driveOpen, type OpenLoop, type Outcome, type TimedOutcome } from './drive.js';
import { createHttp1Connection } from './http1-connection.js';
import { createHttp2Connection } from './http2-connection.js';

export type WireQuestion =
  | { readonly kind: 'connect'; readonly target: WireTarget; readonly call: WireCall }
  | { readonly kind: 'closed'; readonly windowMs: number }
  | ({ readonly kind: 'open' } & OpenLoop);

export interface WireTarget {
  readonly port: number;
  /** Plaintext without it. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  readonly connections: number;
  /** Of each connection; HTTP/1.1 has one. */
  readonly streams: number;
}

export type WireCall = { readonly numbering: Numbering; readonly frame: Uint8Array } & (
  | { readonly protocol: 'h2'; readonly path: string; readonly answerPrefix: Uint8Array }
  | { readonly protocol: 'http/1.1'; readonly answerText: string }
);

const HOST = '127.0.0.1';

let target: WireTarget | undefined;
let call: WireCall | undefined;
let connections: readonly Connection[] = [];

answerParent(async (question: WireQuestion): Promise<Outcome | TimedOutcome | undefined> => {
  if (question.kind === 'connect') {
    ({ target, call } = question);
    connections = await Promise.all(Array.from({ length: target.connections }, open));
    return undefined;
  }
  // A server closes connections that are old, or idle for long: that is not what is measured.
  connections = await Promise.all(connections.map((connection) => (connection.isOpen() ? connection : open())));
  return question.kind === 'closed' ? driveClosed(connections, question.windowMs) : driveOpen(connections, question);
});

async function open(): Promise<Connection> {
  if (target === undefined || call === undefined) throw new Error('not connected');
  const { port, tls, streams } = target;
  const socket = await openSocket(port, tls, call.protocol);
  if (call.protocol === 'http/1.1') return createHttp1Connection(socket, call);
  const head = { scheme: tls ? 'https' : 'http', authority: `localhost:${port}`, path: call.path } as const;
  return createHttp2Connection(socket, { head, ...call }, streams);
}

async function openSocket(port: number, tls: WireTarget['tls'], protocol: WireCall['protocol']): Promise<Socket> {
  if (tls === undefined) {
    const socket = connectPlainly({ host: HOST, port, noDelay: true });
    await once(socket, 'connect');
    return socket;
  }
  const socket = connectTls({ host: HOST, port, servername: 'localhost', ALPNProtocols: [protocol], ...tls });
  await once(socket, 'secureConnect');
  if (socket.alpnProtocol !== protocol) throw new Error(`the server does not speak ${protocol}`);
  return socket.setNoDelay(true);
}
