// The keys: digests are made under the digest keys (the first writes, all are read), tags under the tag key.
import { createHmac, hash, hkdfSync } from 'node:crypto';
import { createTagSeal, TAG_BYTES, type TagSeal } from './tag-seal.js';
import type { TokenSha256 } from './token.js';

/** First 16 bytes of sha256(utf8(key_base64 + hex(sha256(token)))), as 22 characters of base64url: a store's key. */
export type Digest = string & { readonly __brand: 'Digest' };

/** What a token can belong to. The order is that of the bits in an entry's tag mask: append only. */
export const TAG_KINDS = ['token', 'jti', 'grant', 'session', 'client', 'subject', 'subject_client', 'issuer'] as const;
export type TagKind = (typeof TAG_KINDS)[number];

/** 8-byte keyed fingerprint of one thing a token belongs to. */
export type Tag = Uint8Array & { readonly __brand: 'Tag' };

export interface KeyRing {
  /** One digest a digest key, the writing key's first. */
  digests(sha256: TokenSha256): readonly Digest[];
  tag(kind: TagKind, iss: string, value: string): Tag;
  /** That of all tokens of an issuer, made once and kept: for issuers that a policy lets or let register, which are few. */
  issuerTag(iss: string): Tag;
  /** Tags as a caller sees them. */
  readonly sealTags: TagSeal;
  /** Eight characters under the log key, so that one value can be followed through a log and no further. */
  logDigest(value: string): string;
  /** Fingerprints that tell which keys a store was made with. They reveal nothing of the keys. */
  readonly checks: { readonly tag: string; readonly digests: readonly string[] };
}

const KEY_BYTES = 32;
const LAST_CHARACTER_OF_16_BYTES = canonicalLastCharacters();

/** Reads a keys file: lines `digest:<base64>` (one or more) and one `tag:<base64>`, 32 bytes each; `#` begins a comment. */
export function parseKeyRing(text: string): KeyRing {
  const digestKeys: string[] = [];
  const tagKeys: string[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, kind, key] = /^(digest|tag):([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (kind === undefined || key === undefined || Buffer.from(key, 'base64').length !== KEY_BYTES) {
      throw new Error(`line ${index + 1}: expected digest:<base64> or tag:<base64> with ${KEY_BYTES} bytes`);
    }
    (kind === 'digest' ? digestKeys : tagKeys).push(key);
  }
  const [tagKey] = tagKeys;
  if (digestKeys.length === 0) throw new Error('no line digest:<base64>');
  if (tagKey === undefined || tagKeys.length > 1) throw new Error('exactly one line tag:<base64> is needed');
  if (new Set(digestKeys).size < digestKeys.length) throw new Error('the same digest key stands there twice');
  return createKeyRing(digestKeys, tagKey);
}

/** The text of a keys file with fresh keys. */
export function formatNewKeys(randomBytes: (size: number) => Buffer): string {
  const key = () => randomBytes(KEY_BYTES).toString('base64');
  return `digest:${key()}\ntag:${key()}\n`;
}

function createKeyRing(digestKeys: readonly string[], tagKey: string): KeyRing {
  const logKey = Buffer.from(hkdfSync('sha256', Buffer.from(tagKey, 'base64'), '', 'introspectd log', KEY_BYTES));
  const issuerTags = new Map<string, Tag>();
  const toTag: KeyRing['tag'] = (kind, iss, value) => {
    // The length of iss keeps (iss, value) pairs apart that would read the same joined.
    const text = `${tagKey}${kind}:${iss.length}:${iss}${value}`;
    // A string and not a buffer: less than half the price (measured).
    return Buffer.from(hash('sha256', text, 'binary').slice(0, TAG_BYTES), 'latin1') as Uint8Array as Tag;
  };
  return {
    digests: (sha256) => digestKeys.map((key) => toDigest(key, sha256)),
    tag: toTag,
    issuerTag: (iss) => {
      const known = issuerTags.get(iss);
      if (known !== undefined) return known;
      const tag = toTag('issuer', iss, '');
      issuerTags.set(iss, tag);
      return tag;
    },
    sealTags: createTagSeal(Buffer.from(tagKey, 'base64')),
    logDigest: (value) => createHmac('sha256', logKey).update(value).digest('hex').slice(0, 8),
    checks: { tag: keyCheck('tag', tagKey), digests: digestKeys.map((key) => keyCheck('digest', key)) },
  };
}

function toDigest(key: string, sha256: TokenSha256): Digest {
  const text = hash('sha256', key + sha256, 'base64url');
  return (text.slice(0, 21) + LAST_CHARACTER_OF_16_BYTES[text.charCodeAt(21)]) as Digest;
}

function keyCheck(use: string, key: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`introspectd ${use} key check`)
    .digest('hex')
    .slice(0, 16);
}

// Character 22 carries 2 bits of byte 16 and 4 bits of byte 17; base64url of 16 bytes has zeros for those 4.
function canonicalLastCharacters(): readonly string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const table: string[] = [];
  for (let bits = 0; bits < 64; bits++) table[alphabet.charCodeAt(bits)] = alphabet.charAt(bits & 0b110000);
  return table;
}
