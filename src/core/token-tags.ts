// How what a token belongs to becomes tags. Registration writes them into records and revocation names them: both ask
// here, so that a revocation means the very tag that the record carries.
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
  return keyRing.tag(selector.kind, selector.iss, toSelectedText(selector));
}

/** Of all that the token belongs to. */
export function toTags(keyRing: KeyRing, sha256: TokenSha256, claims: JudgedClaims): ReadonlyMap<TagKind, Tag> {
  const selectors = findSelectors(claims).map((selector) => [selector.kind, toSelectorTag(keyRing, selector)] as const);
  return new Map<TagKind, Tag>([['token', toTokenTag(keyRing, sha256)], ...selectors]);
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
  const selectors: Selector[] = [{ kind: 'issuer', iss }];
  const named = { jti, grant: grantId, session: sid, client: clientId, subject: sub };
  for (const kind of ['jti', 'grant', 'session', 'client', 'subject'] as const) {
    const value = named[kind];
    if (value !== undefined) selectors.push({ kind, iss, value });
  }
  if (sub !== undefined && clientId !== undefined) selectors.push({ kind: 'subject_client', iss, sub, clientId });
  return selectors;
}
