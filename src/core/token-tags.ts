// How what a token belongs to becomes tags. Registration writes them into records and revocation names them: both ask
// here, so that a revocation means the very tag that is looked for.
import type { JudgedClaims } from './claims.js';
import type { KeyRing, Tag, TagKind } from './key-ring.js';
import type { TokenSha256 } from './token.js';

/** All tokens of something of one issuer. */
export type Selector = { readonly iss: string } & (
  | { readonly kind: 'jti' | 'grant' | 'session' | 'client' | 'subject'; readonly value: string }
  | { readonly kind: 'subject_client'; readonly sub: string; readonly clientId: string }
  | { readonly kind: 'issuer' }
);

/** Never given out again by an issuer: their revocations have no end, and what comes late under them is refused. */
export const NEVER_REUSED: readonly TagKind[] = ['jti', 'grant', 'session'];

export function toTokenTag(keyRing: KeyRing, sha256: TokenSha256): Tag {
  return keyRing.tag('token', '', sha256);
}

export function toSelectorTag(keyRing: KeyRing, selector: Selector): Tag {
  if (selector.kind === 'issuer') return keyRing.issuerTag(selector.iss);
  return keyRing.tag(selector.kind, selector.iss, toSelectedText(selector));
}

/**
 * Those that a record carries: of all that the token belongs to but itself and its issuer, whose tags are made when they are
 * asked for (docs/adr/0019).
 */
export function toRecordTags(keyRing: KeyRing, claims: JudgedClaims): ReadonlyMap<TagKind, Tag> {
  return new Map(findSelectors(claims).map((selector) => [selector.kind, toSelectorTag(keyRing, selector)] as const));
}

/** Of all that a token belongs to, 8 bytes each. */
export function toAllTags(
  keyRing: KeyRing,
  sha256: TokenSha256,
  { recordTags, iss }: { readonly recordTags: Uint8Array; readonly iss: string },
): Buffer {
  return Buffer.concat([toTokenTag(keyRing, sha256), recordTags, keyRing.issuerTag(iss)]);
}

/** What is named within the issuer, as one text; "" for all of it. */
export function toSelectedText(selector: Selector): string {
  switch (selector.kind) {
    case 'issuer':
      return '';
    case 'subject_client':
      // The length keeps pairs apart that would read the same joined.
      return `${selector.sub.length}:${selector.sub}${selector.clientId}`;
    default:
      return selector.value;
  }
}

function findSelectors({ iss, jti, grantId, sid, clientId, sub }: JudgedClaims): readonly Selector[] {
  const selectors: Selector[] = [];
  const named = { jti, grant: grantId, session: sid, client: clientId, subject: sub };
  for (const kind of ['jti', 'grant', 'session', 'client', 'subject'] as const) {
    const value = named[kind];
    if (value !== undefined) selectors.push({ kind, iss, value });
  }
  if (sub !== undefined && clientId !== undefined) selectors.push({ kind: 'subject_client', iss, sub, clientId });
  return selectors;
}
