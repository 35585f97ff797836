// Tokens for the store's tests: records as core/register.ts makes them, from a name and a few claims.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { encodeRecord, type TokenUse } from '../../src/core/entry.js';
import { StoreUnavailable } from '../../src/core/errors.js';
import type { Digest, KeyRing, Tag, TagKind } from '../../src/core/key-ring.js';
import type { TokenSha256 } from '../../src/core/token.js';
import type {
  LogEntry,
  LoggedRevocation,
  RegisterEntry,
  RevokeTokenCommand,
  TokenStore,
} from '../../src/core/token-store.js';
import { HOUR_MS, RING, START_MS } from './harness.js';

export const ISS = 'https://login.example';

export interface TokenClaims {
  readonly tokenUse?: TokenUse;
  readonly claimedIssueMs?: number;
  readonly expMs?: number;
  /** Whatever else an issuer says; another text is another registration. */
  readonly scope?: string;
  readonly jti?: string;
  readonly grant?: string;
  readonly session?: string;
  readonly client?: string;
  readonly subject?: string;
  readonly subjectClient?: string;
}

export function sha256(name: string): TokenSha256 {
  return hash('sha256', name, 'hex') as TokenSha256;
}

/** The entry to register a token with, under every key of the ring. */
export function makeEntry(name: string, claims: TokenClaims = {}, ring: KeyRing = RING): RegisterEntry {
  const { tokenUse = 'access_token', claimedIssueMs = START_MS, expMs = START_MS + HOUR_MS, scope = 'read' } = claims;
  const aud = 'https://orders.example';
  // Records do not carry it; it is what the model knows a token by.
  const tags = new Map<TagKind, Tag>([['token', ring.tag('token', '', sha256(name))]]);
  const { jti, grant, session, client, subject, subjectClient: subject_client } = claims;
  for (const [kind, value] of Object.entries({ jti, grant, session, client, subject, subject_client })) {
    if (value !== undefined) tags.set(kind as TagKind, ring.tag(kind as TagKind, ISS, value));
  }
  const record = encodeRecord({
    tokenUse,
    claimedIssueMs,
    hasIssuedAtMs: true,
    expSeconds: expMs / 1000,
    nbfSeconds: undefined,
    iss: ISS,
    aud: [aud],
    tags,
    mask: 0b110,
    claims: Buffer.from(`${ISS} ${aud} ${scope}`),
  });
  return { digests: ring.digests(sha256(name)), record };
}

export function makeRevoke(name: string, ring: KeyRing = RING, maxUnknownTombstones = 100_000): RevokeTokenCommand {
  const tokenTag = ring.tag('token', '', sha256(name));
  return { digests: ring.digests(sha256(name)), tokenTag, issuerTag: ring.issuerTag, maxUnknownTombstones };
}

/** The digest that a token is written under. */
export function digestOf(name: string, ring: KeyRing = RING): Digest {
  const [digest] = ring.digests(sha256(name));
  if (digest === undefined) throw new Error('a ring has a digest key');
  return digest;
}

export function tagOf(kind: TagKind, value: string): Tag {
  return RING.tag(kind, kind === 'token' ? '' : ISS, kind === 'token' ? sha256(value) : value);
}

export const ISSUER_TAG = tagOf('issuer', '');
export const NO_TAG = Buffer.alloc(8) as Uint8Array as Tag;

/** What stands there for a token now. */
export async function readEntry(
  store: TokenStore,
  name: string,
  ring: KeyRing = RING,
): Promise<Uint8Array | undefined> {
  const { entries } = await store.read([digestOf(name, ring)], undefined);
  return entries[0];
}

/** What log entries say, wherever they stand. */
export function toRevocations(entries: readonly LogEntry[]): readonly LoggedRevocation[] {
  return entries.map(({ cursor: _, ...revocation }) => revocation);
}

export async function loadAll(store: TokenStore) {
  const chunks = [];
  for await (const chunk of store.loadRevocations()) chunks.push(chunk);
  return chunks;
}

/** For assert.rejects. */
export const unavailable = (detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreUnavailable);
  assert.match(error.detail, detail);
  return true;
};
