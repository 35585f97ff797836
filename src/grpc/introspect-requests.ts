// Requests of the two methods that are asked most, read by hand where they are as nearly all are: ASCII, and lengths of at
// most two bytes. Anything else is left to the generated decoder. Measured: a third of its time for one token, a quarter
// for a thousand (docs/adr/0028); test/grpc/introspect-requests.test.ts holds the two against each other.
import {
  BatchIntrospectRequest,
  IntrospectRequest,
  type TokenItem,
} from '../gen/introspectd/v1/introspection_service.js';
import { createWireReader } from './wire-reader.js';

// Field tags: field number << 3 | wire type (0 varint, 2 bytes).
const TOKEN = 0x0a;
const TOKEN_TYPE_HINT = 0x12;
const AUDIENCES = 0x1a;
const INCLUDE_TAGS = 0x20;
const ITEMS = 0x0a;
const BATCH_AUDIENCES = 0x12;
const BATCH_INCLUDE_TAGS = 0x18;

/** Throws on bytes that are no such message. */
export function decodeIntrospectRequest(bytes: Uint8Array): IntrospectRequest {
  return readIntrospectRequest(new PlainReader(bytes)) ?? IntrospectRequest.decode(createWireReader(bytes));
}

/** Throws on bytes that are no such message. */
export function decodeBatchIntrospectRequest(bytes: Uint8Array): BatchIntrospectRequest {
  return readBatchRequest(new PlainReader(bytes)) ?? BatchIntrospectRequest.decode(createWireReader(bytes));
}

function readIntrospectRequest(reader: PlainReader): IntrospectRequest | undefined {
  const request: IntrospectRequest = { token: '', tokenTypeHint: '', audiences: [], includeTags: false };
  while (reader.at < reader.end) {
    switch (reader.byte()) {
      case TOKEN:
        request.token = reader.text();
        break;
      case TOKEN_TYPE_HINT:
        request.tokenTypeHint = reader.text();
        break;
      case AUDIENCES:
        request.audiences.push(reader.text());
        break;
      case INCLUDE_TAGS:
        request.includeTags = reader.flag();
        break;
      default:
        return undefined;
    }
    if (!reader.isPlain) return undefined;
  }
  return request;
}

function readBatchRequest(reader: PlainReader): BatchIntrospectRequest | undefined {
  const request: BatchIntrospectRequest = { items: [], audiences: [], includeTags: false };
  while (reader.at < reader.end) {
    switch (reader.byte()) {
      case ITEMS:
        request.items.push(readItem(reader));
        break;
      case BATCH_AUDIENCES:
        request.audiences.push(reader.text());
        break;
      case BATCH_INCLUDE_TAGS:
        request.includeTags = reader.flag();
        break;
      default:
        return undefined;
    }
    if (!reader.isPlain) return undefined;
  }
  return request;
}

function readItem(reader: PlainReader): TokenItem {
  const item: TokenItem = { token: '', tokenTypeHint: '' };
  const end = reader.bodyEnd();
  while (reader.at < end && reader.isPlain) {
    const tag = reader.byte();
    if (tag === TOKEN) item.token = reader.text();
    else if (tag === TOKEN_TYPE_HINT) item.tokenTypeHint = reader.text();
    else reader.isPlain = false;
  }
  if (reader.at !== end) reader.isPlain = false;
  return item;
}

/** Once it met what it does not know it is no longer plain, and nothing that it said is to be used. */
class PlainReader {
  isPlain = true;
  at = 0;
  readonly end: number;
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  flag(): boolean {
    const value = this.byte();
    if (value > 1 || this.at > this.end) this.isPlain = false;
    return value === 1;
  }

  /** Of what begins with its length here. */
  bodyEnd(): number {
    let length = this.byte();
    if (length > 0x7f) {
      const high = this.byte();
      if (high > 0x7f) this.isPlain = false;
      length = (length & 0x7f) | (high << 7);
    }
    const end = this.at + length;
    if (end > this.end) this.isPlain = false;
    return end;
  }

  text(): string {
    const end = this.bodyEnd();
    const from = this.at;
    if (!this.isPlain) return '';
    const { bytes } = this;
    let bits = 0;
    for (let at = from; at < end; at++) bits |= bytes[at] ?? 0;
    if (bits > 0x7f) this.isPlain = false;
    this.at = end;
    return this.isPlain ? bytes.toString('latin1', from, end) : '';
  }
}
