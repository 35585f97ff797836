// A connection that sends pre-framed gRPC calls and looks at no more of the answers than it must.
import type { Socket } from 'node:net';
import { GRPC_FRAME_HEADER_BYTES } from '../../src/grpc/grpc-frame.js';
import { createNumberedBody, type Numbering } from '../numbered-body.js';
import type { Call, Connection } from './call.js';
import {
  ACK,
  END_STREAM,
  FRAME,
  FRAME_HEADER_BYTES,
  findStreamOffsets,
  type RequestHead,
  toFrame,
  toPreface,
  toRequestFrames,
  toWindowUpdate,
} from './http2-frames.js';

export interface Http2Request {
  readonly head: RequestHead;
  /** A framed message. */
  readonly frame: Uint8Array;
  readonly numbering: Numbering;
  /** What every answer's message begins with. Empty: any message will do. */
  readonly answerPrefix: Uint8Array;
}

/** The server is told of what was read before it counts this much. */
const WINDOW_STEP_BYTES = 2 ** 24;

/** The socket is connected, and "h2" is settled. */
export function createHttp2Connection(socket: Socket, request: Http2Request, slots: number): Connection {
  const { head, frame, numbering, answerPrefix } = request;
  const first = toRequestFrames('first', head, frame);
  const later = toRequestFrames('later', head, frame);
  const offsets = findStreamOffsets(later);
  const nextBody = createNumberedBody(later, numbering);
  const calls = new Map<number, Call>();
  let out: Buffer[] = [toPreface()];
  let rest: Buffer = Buffer.alloc(0);
  let stream = 1;
  let unreadBytes = 0;
  let isOpen = true;

  const connection: Connection = {
    slots,
    isOpen: () => isOpen,
    send: (call) => {
      const bytes = stream === 1 ? createNumberedBody(first, numbering)() : nextBody();
      const [headersAt, dataAt] = stream === 1 ? findStreamOffsets(first) : offsets;
      bytes.writeUInt32BE(stream, headersAt);
      bytes.writeUInt32BE(stream, dataAt);
      calls.set(stream, call);
      stream += 2;
      out.push(bytes);
    },
    flush,
    onDone: () => undefined,
    close: () => socket.destroy(),
  };
  socket.on('data', (chunk: Buffer) => {
    read(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    flush();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOpen = false;
    for (const id of [...calls.keys()]) fail(id);
  });
  return connection;

  function flush(): void {
    if (out.length === 0) return;
    socket.write(out.length === 1 && out[0] ? out[0] : Buffer.concat(out));
    out = [];
  }

  function read(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      const from = at + FRAME_HEADER_BYTES;
      if (bytes.length < from + length) break;
      const id = bytes.readUInt32BE(at + 5) & 0x7fffffff;
      take(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, id, bytes, from, length);
      at = from + length;
    }
    rest = bytes.subarray(at);
    if (unreadBytes > WINDOW_STEP_BYTES) {
      out.push(toWindowUpdate(unreadBytes));
      unreadBytes = 0;
    }
  }

  function take(type: number, flags: number, id: number, bytes: Buffer, from: number, length: number): void {
    const isLast = (flags & END_STREAM) !== 0;
    if (type === FRAME.data) {
      unreadBytes += length;
      const call = calls.get(id);
      if (call !== undefined && !call.isOk) call.isOk = isExpected(bytes, from, length);
    } else if (type === FRAME.reset) fail(id);
    else if (type === FRAME.goaway) isOpen = false;
    else if (type === FRAME.settings && (flags & ACK) === 0) out.push(toFrame(type, ACK, 0, Buffer.alloc(0)));
    else if (type === FRAME.ping && (flags & ACK) === 0)
      out.push(toFrame(type, ACK, 0, bytes.subarray(from, from + length)));
    if (isLast && (type === FRAME.data || type === FRAME.headers)) end(id);
  }

  function isExpected(bytes: Buffer, from: number, length: number): boolean {
    const start = from + GRPC_FRAME_HEADER_BYTES;
    if (length < GRPC_FRAME_HEADER_BYTES + answerPrefix.length) return false;
    for (let index = 0; index < answerPrefix.length; index++) {
      if (bytes[start + index] !== answerPrefix[index]) return false;
    }
    return true;
  }

  function fail(id: number): void {
    const call = calls.get(id);
    if (call !== undefined) call.isOk = false;
    end(id);
  }

  function end(id: number): void {
    const call = calls.get(id);
    if (call === undefined) return;
    calls.delete(id);
    connection.onDone(call);
  }
}
