// What a store holds for a digest: a record, or the tombstone that replaces it. One layout serves both, big-endian:
//
//   0  kind (1 record, 2 tombstone; also the version)     20  nbf in seconds (5; all ones = none)
//   1  token_use                                          25  presence mask of the claims (4)
//   2  registered_at in ms (6; stamped by the store)      29  tag mask (1), in the order of TAG_KINDS
//   8  1 when the issuer gave issued_at_ms                30  number of audiences (1)
//   9  claimed issue instant in ms (6)                    31  tags, 8 bytes each
//  15  exp in seconds (5)                                     then (offset, length) of iss and of each aud in the body,
//                                                             2 + 2 bytes each, then the body
//
// The body of a record is its encoded claims; iss and aud are found in it, so they are not stored twice. The body of a
// tombstone is iss and aud alone.
import { StoreUnavailable } from './errors.js';
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
  /** Concatenated tags, 8 bytes each. */
  readonly tags: Uint8Array;
  readonly mask: number;
  /** Encoded claims; empty in a tombstone. */
  readonly claims: Uint8Array;
}

const RECORD = 1;
const TOMBSTONE = 2;
const TOKEN_USES: readonly (TokenUse | undefined)[] = [undefined, 'access_token', 'refresh_token'];
const REGISTERED_AT = 2;
const HEADER_BYTES = 31;
const TAG_BYTES = 8;
const NO_NBF = 0xffffffffff;
const EMPTY = new Uint8Array(0);

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
export function encodeUnknownTombstone(tokenTag: Tag): Buffer {
  const tags = new Map<TagKind, Tag>([['token', tokenTag]]);
  return encode(TOMBSTONE, { ...NOTHING, tags }, EMPTY, () => [0, 0]);
}

/** The tombstone that replaces a record (or another tombstone, unchanged): all but the claims. */
export function toTombstone(bytes: Uint8Array): Buffer {
  const entry = decodeEntry(bytes);
  if (entry.kind === 'tombstone') return Buffer.from(bytes);
  const parts = [entry.iss, ...entry.aud].map((text) => Buffer.from(text));
  const tombstone = Buffer.concat([bytes.subarray(0, bodyStart(bytes)), ...parts]);
  tombstone[0] = TOMBSTONE;
  tombstone.writeUInt32BE(0, 25);
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
  const mask = bytes[29] ?? 0;
  const bit = TAG_KINDS.indexOf(kind);
  if ((mask & (1 << bit)) === 0) return undefined;
  const start = HEADER_BYTES + TAG_BYTES * countBits(mask & ((1 << bit) - 1));
  return bytes.subarray(start, start + TAG_BYTES) as Tag;
}

/** Throws StoreUnavailable on bytes that no version of this code wrote: a doubt is not an answer. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const buffer = view(bytes);
  const tokenUse = TOKEN_USES[buffer[1] ?? 0];
  const isRecord = buffer[0] === RECORD;
  const isTombstone = buffer[0] === TOMBSTONE;
  if (buffer.length < HEADER_BYTES || !(isRecord || isTombstone) || (isRecord && tokenUse === undefined))
    throw corrupt();
  const body = bodyStart(buffer);
  if (buffer.length < body) throw corrupt();
  const nbfSeconds = buffer.readUIntBE(20, 5);
  const texts = readTexts(buffer, body);
  return {
    kind: isRecord ? 'record' : 'tombstone',
    tokenUse: tokenUse ?? 'access_token',
    issueInstantMs: Math.min(buffer.readUIntBE(REGISTERED_AT, 6), buffer.readUIntBE(9, 6)),
    expMs: buffer.readUIntBE(15, 5) * 1000,
    nbfMs: nbfSeconds === NO_NBF ? undefined : nbfSeconds * 1000,
    iss: texts[0] ?? '',
    aud: texts.slice(1),
    tags: buffer.subarray(HEADER_BYTES, refsStart(buffer)),
    mask: buffer.readUInt32BE(25),
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
  const head = Buffer.alloc(HEADER_BYTES + TAG_BYTES * present.length + 4 * (1 + fields.aud.length));
  head[0] = kind;
  head[1] = TOKEN_USES.indexOf(fields.tokenUse);
  head[8] = fields.hasIssuedAtMs ? 1 : 0;
  head.writeUIntBE(fields.claimedIssueMs, 9, 6);
  head.writeUIntBE(fields.expSeconds, 15, 5);
  head.writeUIntBE(fields.nbfSeconds ?? NO_NBF, 20, 5);
  head.writeUInt32BE(fields.mask, 25);
  head[29] = present.reduce((mask, { bit }) => mask | (1 << bit), 0);
  head[30] = fields.aud.length;
  let at = HEADER_BYTES;
  for (const { tag } of present) {
    if (tag) head.set(tag, at);
    at += TAG_BYTES;
  }
  for (const text of [fields.iss, ...fields.aud]) {
    const [offset, length] = locate(text);
    head.writeUInt16BE(offset, at);
    head.writeUInt16BE(length, at + 2);
    at += 4;
  }
  return Buffer.concat([head, body]);
}

function readTexts(buffer: Buffer, body: number): string[] {
  const texts: string[] = [];
  for (let ref = refsStart(buffer); ref < body; ref += 4) {
    const start = body + buffer.readUInt16BE(ref);
    const end = start + buffer.readUInt16BE(ref + 2);
    if (end > buffer.length) throw corrupt();
    texts.push(buffer.toString('utf8', start, end));
  }
  return texts;
}

function refsStart(bytes: Uint8Array): number {
  return HEADER_BYTES + TAG_BYTES * countBits(bytes[29] ?? 0);
}

function bodyStart(bytes: Uint8Array): number {
  return refsStart(bytes) + 4 * (1 + (bytes[30] ?? 0));
}

function countBits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function corrupt(): StoreUnavailable {
  return new StoreUnavailable('an entry in the store has an unknown form; was it written by a newer version?');
}
