// What of a CheckRequest a verdict needs, read off the wire: all the rest (bodies, addresses, metadata) is skipped
// unread. Headers and extensions become Maps, so that no name of theirs can mean anything to JavaScript.
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { CheckedRequest } from '../core/check.js';
import { toThumbprint } from './peer-certificate.js';

interface Parts {
  readonly headers: Map<string, string[]>;
  readonly extensions: Map<string, string>;
  path: string;
  certificate: string;
}

/** Reads the value of its field, which is length-delimited; `end` is where a message ends. */
type ReadField = (reader: BinaryReader, parts: Parts) => void;
type Fields = Readonly<Record<number, ReadField>>;

interface Pair {
  key: string;
  value: string;
  raw: Uint8Array;
}

// Field numbers of envoy/config/core/v3/base.proto and envoy/service/auth/v3/{attribute_context,external_auth}.proto.
const PEER: Fields = {
  5: (reader, parts) => {
    parts.certificate = reader.string();
  },
};
const HEADER_MAP: Fields = { 1: (reader, parts) => addHeader(parts, readPair(reader)) };
const HTTP_REQUEST: Fields = {
  3: (reader, parts) => addHeader(parts, readPair(reader)),
  4: (reader, parts) => {
    parts.path = reader.string();
  },
  // Set in place of field 3 with encode_raw_headers. Whoever sets both has two values of a header, which is refused.
  13: (reader, parts) => readMessage(reader, HEADER_MAP, parts),
};
const REQUEST: Fields = { 2: (reader, parts) => readMessage(reader, HTTP_REQUEST, parts) };
const ATTRIBUTES: Fields = {
  1: (reader, parts) => readMessage(reader, PEER, parts),
  4: (reader, parts) => readMessage(reader, REQUEST, parts),
  10: (reader, parts) => {
    const { key, value } = readPair(reader);
    parts.extensions.set(key, value);
  },
};
const CHECK_REQUEST: Fields = { 1: (reader, parts) => readMessage(reader, ATTRIBUTES, parts) };

/**
 * Throws on bytes that are no message. Text that is not UTF-8 is read with U+FFFD, which no token has, and does not fail
 * the call: a failed call would leave the request to Envoy's failure_mode_allow (CVE-2023-27488).
 */
export function readCheckRequest(bytes: Uint8Array): CheckedRequest {
  const parts: Parts = { headers: new Map(), extensions: new Map(), path: '', certificate: '' };
  readFields(new BinaryReader(bytes), bytes.length, CHECK_REQUEST, parts);
  const { headers, path, extensions, certificate } = parts;
  return { headers, path, extensions, findPeerThumbprint: () => toThumbprint(certificate) };
}

function readMessage(reader: BinaryReader, fields: Fields, parts: Parts): void {
  readFields(reader, readEnd(reader), fields, parts);
}

function readFields(reader: BinaryReader, end: number, fields: Fields, parts: Parts): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read !== undefined && wireType === WireType.LengthDelimited) read(reader, parts);
    else reader.skip(wireType, field);
  }
  if (reader.pos !== end) throw new Error('a message that ends inside a field');
}

/** A map entry, or a HeaderValue: both have their key in field 1 and their value in field 2. */
function readPair(reader: BinaryReader): Pair {
  const end = readEnd(reader);
  const pair: Pair = { key: '', value: '', raw: EMPTY };
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === 1) pair.key = reader.string();
    else if (field === 2) pair.value = reader.string();
    else if (field === 3) pair.raw = reader.bytes();
    else reader.skip(wireType, field);
  }
  if (reader.pos !== end) throw new Error('a message that ends inside a field');
  return pair;
}

const EMPTY = new Uint8Array(0);

/** Of the message whose length comes next. */
function readEnd(reader: BinaryReader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new Error('a message that ends outside');
  return end;
}

function addHeader({ headers }: Parts, { key, value, raw }: Pair): void {
  const name = key.toLowerCase();
  // Byte for character: what is not ASCII stays visible as such.
  const text = raw.length > 0 ? Buffer.from(raw).toString('latin1') : value;
  const values = headers.get(name);
  if (values === undefined) headers.set(name, [text]);
  else values.push(text);
}
