// What a store holds for a digest: a record, or the tombstone that replaces it. One layout serves both, big-endian:
//
//   0  kind (1 record, 2 tombstone; also the version)      9  claimed issue instant in ms (6)
//   1  token_use (4 bits), 16: the issuer gave            15  exp in seconds (5)
//      issued_at_ms, 32: there is an nbf                  20  presence mask of the claims (3)
//   2  registered_at in ms (6; stamped by the store)      23  tag mask (1), in the order of TAG_KINDS
//   8  number of audiences (1)                            24  tags, 8 bytes each
//                                                             then nbf in seconds (5) where there is one,
//                                                             (offset, length) of iss and of each aud in the body,
//                                                             2 + 2 bytes each, and the body
//
// The body of a record is its encoded claims; iss and aud are found in it, so they are not stored twice. The body of a
// tombstone is iss and aud alone.
import { readMs, readSeconds, readUint16, readUint24 } from './big-endian.js';
import { StoreUnavailable } from './errors.js';
import { createInternedText } from './interned-text.js';
import { TAG_KINDS, type Tag, type TagKind } from './key-ring.js';

export type TokenUse = 'access_token' | 'refresh_token';

/** What an entry is made of. Times: `Ms` are milliseconds, `Seconds` seconds since the epoch. */
export interface EntryFields {
  readonly tokenUse: TokenUse;
  /** issued_at_ms where the issuer gave it, else the last millisecond of iat. */
  readonly claimedIssueMs: number;
  readonly hasIssuedAtMs: boolean;
  readonly expSeconds: number;
  readonly nbfSeconds: number | undefined;
  readonly iss: string;
  readonly aud: readonly string[];
  readonly tags: ReadonlyMap<TagKind, Tag>;
  /** Bit n is set when field n of TokenClaims is present. */
  readonly mask: number;
  readonly claims: Uint8Array;
}

export interface Entry {
  readonly kind: 'record' | 'tombstone';
  readonly tokenUse: TokenUse;
  /** min(registered_at, claimed issue instant): revocations with a `before` at or after it kill the token. */
  readonly issueInstantMs: number;
  readonly expMs: number;
  readonly nbfMs: number | undefined;
  readonly iss: string;
  readonly aud: readonly string[];
  /** Concatenated tags, 8 bytes each: of all that the token belongs to but itself and its issuer. */
  readonly tags: Uint8Array;
  readonly mask: number;
  /** Encoded claims; empty in a tombstone. */
  readonly claims: Uint8Array;
}

const RECORD = 1;
const TOMBSTONE = 2;
const TOKEN_USES: readonly (TokenUse | undefined)[] = [undefined, 'access_token', 'refresh_token'];
const USE_BITS = 15;
const HAS_ISSUED_AT = 16;
const HAS_NBF = 32;
const REGISTERED_AT = 2;
const AUDIENCES = 8;
const CLAIMED_ISSUE = 9;
const EXP = 15;
const MASK = 20;
const TAG_MASK = 23;
const HEADER_BYTES = 24;
const TAG_BYTES = 8;
const NBF_BYTES = 5;
/** Offset and length of a text in the body. */
const REF_BYTES = 4;
const EMPTY = new Uint8Array(0);
const toText = createInternedText();

/** The bytes of a record, registered_at still zero: the store stamps it in the step that writes it. */
export function encodeRecord(fields: EntryFields): Buffer {
  const body = Buffer.from(fields.claims);
  return encode(RECORD, fields, body, (text) => {
    const bytes = Buffer.from(text);
    const offset = body.indexOf(bytes);
    if (offset < 0) throw new Error('iss and aud are part of the encoded claims');
    return [offset, bytes.length];
  });
}

/** The tombstone of a token that was never registered: it belongs to nothing but itself. */
export function encodeUnknownTombstone(): Buffer {
  return encode(TOMBSTONE, NOTHING, EMPTY, () => [0, 0]);
}

/** The tombstone that replaces a record (or another tombstone, unchanged): all but the claims. */
export function toTombstone(bytes: Uint8Array): Buffer {
  const entry = decodeEntry(bytes);
  if (entry.kind === 'tombstone') return Buffer.from(bytes);
  const parts = [entry.iss, ...entry.aud].map((text) => Buffer.from(text));
  const tombstone = Buffer.concat([bytes.subarray(0, bodyStart(bytes)), ...parts]);
  tombstone[0] = TOMBSTONE;
  tombstone.writeUIntBE(0, MASK, 3);
  let ref = refsStart(bytes);
  let offset = 0;
  for (const part of parts) {
    tombstone.writeUInt16BE(offset, ref);
    tombstone.writeUInt16BE(part.length, ref + 2);
    offset += part.length;
    ref += 4;
  }
  return tombstone;
}

/** Writes registered_at in place. */
export function stampRegisteredAt(record: Buffer, storeTimeMs: number): void {
  record.writeUIntBE(storeTimeMs, REGISTERED_AT, 6);
}

/** Equal in all but registered_at: a registration that may be repeated. */
export function isSameRegistration(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [view(a), view(b)];
  return (
    left.length === right.length &&
    left.compare(right, 0, REGISTERED_AT, 0, REGISTERED_AT) === 0 &&
    left.compare(right, REGISTERED_AT + 6, right.length, REGISTERED_AT + 6, left.length) === 0
  );
}

/** The tag of one kind, or undefined where the entry has none of it. */
export function findTag(bytes: Uint8Array, kind: TagKind): Tag | undefined {
  const mask = bytes[TAG_MASK] ?? 0;
  const bit = TAG_KINDS.indexOf(kind);
  if ((mask & (1 << bit)) === 0) return undefined;
  const start = HEADER_BYTES + TAG_BYTES * countBits(mask & ((1 << bit) - 1));
  return bytes.subarray(start, start + TAG_BYTES) as Tag;
}

/** Throws StoreUnavailable on bytes that no version of this code wrote: a doubt is not an answer. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const buffer = view(bytes);
  const flags = buffer[1] ?? 0;
  const tokenUse = TOKEN_USES[flags & USE_BITS];
  const isRecord = buffer[0] === RECORD;
  const isTombstone = buffer[0] === TOMBSTONE;
  const isKnown = (isRecord || isTombstone) && flags < 2 * HAS_NBF && (isTombstone || tokenUse !== undefined);
  if (buffer.length < HEADER_BYTES || !isKnown) throw corrupt();
  const tags = tagsEnd(buffer);
  const refs = (flags & HAS_NBF) === 0 ? tags : tags + NBF_BYTES;
  const body = refs + REF_BYTES * (1 + (buffer[AUDIENCES] ?? 0));
  if (buffer.length < body) throw corrupt();
  return {
    kind: isRecord ? 'record' : 'tombstone',
    tokenUse: tokenUse ?? 'access_token',
    issueInstantMs: Math.min(readMs(buffer, REGISTERED_AT), readMs(buffer, CLAIMED_ISSUE)),
    expMs: readSeconds(buffer, EXP) * 1000,
    nbfMs: refs === tags ? undefined : readSeconds(buffer, tags) * 1000,
    iss: readText(buffer, refs, body),
    aud: readAudiences(buffer, refs + REF_BYTES, body),
    tags: buffer.subarray(HEADER_BYTES, tags),
    mask: readUint24(buffer, MASK),
    claims: isRecord ? buffer.subarray(body) : EMPTY,
  };
}

const NOTHING: EntryFields = {
  tokenUse: 'access_token',
  claimedIssueMs: 0,
  hasIssuedAtMs: false,
  expSeconds: 0,
  nbfSeconds: undefined,
  iss: '',
  aud: [],
  tags: new Map(),
  mask: 0,
  claims: EMPTY,
};

function encode(
  kind: number,
  fields: EntryFields,
  body: Uint8Array,
  locate: (text: string) => readonly [offset: number, length: number],
): Buffer {
  const present = TAG_KINDS.map((tagKind, bit) => ({ tag: fields.tags.get(tagKind), bit })).filter((t) => t.tag);
  const nbfBytes = fields.nbfSeconds === undefined ? 0 : NBF_BYTES;
  const head = Buffer.alloc(HEADER_BYTES + TAG_BYTES * present.length + nbfBytes + 4 * (1 + fields.aud.length));
  head[0] = kind;
  head[1] =
    TOKEN_USES.indexOf(fields.tokenUse) + (fields.hasIssuedAtMs ? HAS_ISSUED_AT : 0) + (nbfBytes > 0 ? HAS_NBF : 0);
  head.writeUIntBE(fields.claimedIssueMs, CLAIMED_ISSUE, 6);
  head.writeUIntBE(fields.expSeconds, EXP, 5);
  head.writeUIntBE(fields.mask, MASK, 3);
  head[TAG_MASK] = present.reduce((mask, { bit }) => mask | (1 << bit), 0);
  head[AUDIENCES] = fields.aud.length;
  let at = HEADER_BYTES;
  for (const { tag } of present) {
    if (tag) head.set(tag, at);
    at += TAG_BYTES;
  }
  if (fields.nbfSeconds !== undefined) head.writeUIntBE(fields.nbfSeconds, at, NBF_BYTES);
  at += nbfBytes;
  for (const text of [fields.iss, ...fields.aud]) {
    const [offset, length] = locate(text);
    head.writeUInt16BE(offset, at);
    head.writeUInt16BE(length, at + 2);
    at += 4;
  }
  return Buffer.concat([head, body]);
}

function readAudiences(buffer: Buffer, refs: number, body: number): readonly string[] {
  // Nearly all have one: this makes a list of it that need not grow.
  if (body - refs === REF_BYTES) return [readText(buffer, refs, body)];
  const audiences: string[] = [];
  for (let ref = refs; ref < body; ref += REF_BYTES) audiences.push(readText(buffer, ref, body));
  return audiences;
}

function readText(buffer: Buffer, ref: number, body: number): string {
  const start = body + readUint16(buffer, ref);
  const end = start + readUint16(buffer, ref + 2);
  if (end > buffer.length) throw corrupt();
  return toText(buffer, start, end);
}

function tagsEnd(bytes: Uint8Array): number {
  return HEADER_BYTES + TAG_BYTES * countBits(bytes[TAG_MASK] ?? 0);
}

function refsStart(bytes: Uint8Array): number {
  return tagsEnd(bytes) + (((bytes[1] ?? 0) & HAS_NBF) === 0 ? 0 : NBF_BYTES);
}

function bodyStart(bytes: Uint8Array): number {
  return refsStart(bytes) + REF_BYTES * (1 + (bytes[AUDIENCES] ?? 0));
}

function countBits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function view(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(): StoreUnavailable {
  return new StoreUnavailable('an entry in the store has an unknown form; was it written by a newer version?');
}
