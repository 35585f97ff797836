// The same for HTTP/1.1 with keep-alive (RFC 9112): pre-framed requests, one at a time on each connection.
import type { Socket } from 'node:net';
import { createNumberedBody, type Numbering } from '../numbered-body.js';
import type { Call, Connection } from './call.js';

export interface Http1Request {
  /** Request line, header fields and body. */
  readonly frame: Uint8Array;
  readonly numbering: Numbering;
  /** What every answer's body has in it. */
  readonly answerText: string;
}

const STATUS_OK = 'HTTP/1.1 200 ';
const HEAD_END = '\r\n\r\n';

export function createHttp1Connection(socket: Socket, request: Http1Request): Connection {
  const nextRequest = createNumberedBody(Buffer.from(request.frame), request.numbering);
  let call: Call | undefined;
  let received = '';
  let isOpen = true;
  const connection: Connection = {
    slots: 1,
    isOpen: () => isOpen,
    send: (next) => {
      call = next;
      socket.write(nextRequest());
    },
    flush: () => undefined,
    onDone: () => undefined,
    close: () => socket.destroy(),
  };
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const length = findAnswerLength(received);
    if (length === undefined || received.length < length) return;
    const isWhole = received.length === length;
    end(isWhole && received.startsWith(STATUS_OK) && received.includes(request.answerText));
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOpen = false;
    end(false);
  });
  return connection;

  function end(isOk: boolean): void {
    const done = call;
    [call, received] = [undefined, ''];
    if (done === undefined) return;
    done.isOk = isOk;
    connection.onDone(done);
  }
}

/** Undefined while its head is not there. One that does not say how long its body is has none, and so is no answer. */
export function findAnswerLength(received: string): number | undefined {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const [, digits = 0] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, headEnd)) ?? [];
  return headEnd + HEAD_END.length + Number(digits);
}
