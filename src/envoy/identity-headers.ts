// Claims as headers of the request that goes on.
import type { VisibleClaims } from './claims.js';

export const IDENTITY_CLAIMS = ['sub', 'client_id', 'scope', 'iss', 'exp'] as const;
export type IdentityClaim = (typeof IDENTITY_CLAIMS)[number];

/** Claim -> name of its header, in lower case. */
export type IdentityHeaderNames = Readonly<Record<IdentityClaim, string>>;

export interface IdentityHeaders {
  readonly set: readonly (readonly [name: string, value: string])[];
  /** What the client may have sent under a name that is not set: nobody may believe it. */
  readonly remove: readonly string[];
}

/** Every identity header is either set or removed, whatever the request brought. */
export function toIdentityHeaders(claims: VisibleClaims, names: IdentityHeaderNames): IdentityHeaders {
  const set: [string, string][] = [];
  const remove: string[] = [];
  for (const claim of IDENTITY_CLAIMS) {
    const value = toHeaderValue(claim, claims[claim]);
    if (value === '') remove.push(names[claim]);
    else set.push([names[claim], value]);
  }
  return { set, remove };
}

/** Scopes stay a list with spaces between them (RFC 6749 §3.3); a space anywhere else is part of a value. */
function toHeaderValue(claim: IdentityClaim, value: unknown): string {
  const text = value === undefined ? '' : String(value);
  if (claim !== 'scope') return percentEncode(text);
  return text
    .split(' ')
    .filter((scope) => scope !== '')
    .map(percentEncode)
    .join(' ');
}

/** Of the UTF-8 of everything outside visible ASCII, and of "%", so that it can be undone (RFC 3986 §2.1). */
export function percentEncode(text: string): string {
  return text.replaceAll(/[^\x21-\x24\x26-\x7e]+/g, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
