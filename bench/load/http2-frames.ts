// As much of HTTP/2 (RFC 9113) as a load of small unary calls needs, to spend next to nothing on a call: node:http2 costs
// a generator as much as the server that it should fill. What answers say is not decoded: an answer that is OK has a message
// in a DATA frame, and a gRPC error has none. One answer of each kind is looked at by answers.ts.
export const FRAME_HEADER_BYTES = 9;
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
export const END_STREAM = 0x1;
export const ACK = 0x1;
const END_HEADERS = 0x4;
/** SETTINGS_MAX_FRAME_SIZE, of those who do not say otherwise. */
const MAX_FRAME_BYTES = 16_384;
const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;

export interface RequestHead {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** "/package.Service/Method" */
  readonly path: string;
}

export function toFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  if (payload.length > MAX_FRAME_BYTES) throw new Error('too large for one frame: use http2-load.ts');
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(stream, 5);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** What a client says first: no pushes, and windows that are never full. */
export function toPreface(): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(0x2, 0); // SETTINGS_ENABLE_PUSH = 0
  settings.writeUInt16BE(0x4, 6); // SETTINGS_INITIAL_WINDOW_SIZE
  settings.writeUInt32BE(MAX_WINDOW, 8);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    toFrame(FRAME.settings, 0, 0, settings),
    toWindowUpdate(MAX_WINDOW - DEFAULT_WINDOW),
  ]);
}

/** Of the connection. */
export function toWindowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return toFrame(FRAME.windowUpdate, 0, 0, payload);
}

/**
 * HEADERS and DATA of a request, streams still to be written in. The first of a connection puts its header fields into
 * the server's table (RFC 7541 §6.2.1), later ones name them by their places there, as every client's do.
 */
export function toRequestFrames(which: 'first' | 'later', head: RequestHead, body: Uint8Array): Buffer {
  const block = which === 'first' ? toFirstBlock(head) : toLaterBlock(head);
  return Buffer.concat([toFrame(FRAME.headers, END_HEADERS, 0, block), toFrame(FRAME.data, END_STREAM, 0, body)]);
}

/** Where in the request frames the two streams stand. */
export function findStreamOffsets(frames: Buffer): readonly [number, number] {
  return [5, FRAME_HEADER_BYTES + frames.readUIntBE(0, 3) + 5];
}

// RFC 7541, appendix A.
const INDEXED = 0x80;
const LITERAL_INDEXED = 0x40;
const METHOD_POST = INDEXED | 3;
const SCHEMES = { http: INDEXED | 6, https: INDEXED | 7 } as const;
const NAMES = { authority: 1, path: 4, contentType: 31, userAgent: 58 } as const;
/** The newest entry of the server's table comes first. */
const LATER_FIELDS = [66, 65, 64, 63, 62].map((index) => INDEXED | index);

function toFirstBlock({ scheme, authority, path }: RequestHead): Buffer {
  return Buffer.concat([
    Buffer.from([METHOD_POST, SCHEMES[scheme], LITERAL_INDEXED | NAMES.path]),
    toText(path),
    Buffer.from([LITERAL_INDEXED | NAMES.authority]),
    toText(authority),
    Buffer.from([LITERAL_INDEXED | NAMES.contentType]),
    toText('application/grpc'),
    Buffer.from([LITERAL_INDEXED]),
    toText('te'),
    toText('trailers'),
    Buffer.from([LITERAL_INDEXED | NAMES.userAgent]),
    toText('introspectd-bench'),
  ]);
}

function toLaterBlock({ scheme }: RequestHead): Buffer {
  return Buffer.from([METHOD_POST, SCHEMES[scheme], ...LATER_FIELDS]);
}

/** Without Huffman coding; a length in one octet. */
function toText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > 126) throw new Error('too long for a header field of this');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
