// Where a request carries its token, and when it must be refused for how it does so (RFC 6750 §2).
import { IntrospectdError } from './errors.js';
import { parseToken, type Token } from './token.js';

/** Every value of every header, as it came: by the name in lower case, never joined. */
export type HeaderFields = ReadonlyMap<string, readonly string[]>;

export type CredentialPlace =
  /** `Authorization: Bearer TOKEN` */
  | { readonly kind: 'bearer' }
  /** The token alone; the name in lower case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string };

/** `request` at fault: not one credential in its place. `token` at fault: it cannot be one of ours. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: Token }
  | { readonly kind: 'fault'; readonly of: 'request' | 'token' };

export interface CredentialBearer {
  readonly headers: HeaderFields;
  /** With its query. */
  readonly path: string;
}

export const AUTHORIZATION = 'authorization';
const COOKIE = 'cookie';
const NONE: Credential = { kind: 'none' };
const REQUEST_FAULT: Credential = { kind: 'fault', of: 'request' };
// RFC 6750 §2.1: the scheme (in any case, RFC 9110 §11.1), spaces, the token.
const BEARER = /^Bearer +(\S+)$/i;
const MAY_HAVE_TOKEN = /access_token|%/i;

export function findCredential(bearer: CredentialBearer, place: CredentialPlace, maxBytes: number): Credential {
  // RFC 6750 §2.3, RFC 9700 §4.3.2: a token in a URL is in logs and histories by now.
  if (hasQueryToken(bearer.path)) return REQUEST_FAULT;
  const values = findValues(bearer.headers, place);
  const [value] = values;
  if (value === undefined) return NONE;
  // CVE-2020-25017: whoever looks at one of several is not sure to look at the one that counts.
  if (values.length > 1) return REQUEST_FAULT;
  const text = place.kind === 'bearer' ? BEARER.exec(value)?.[1] : value;
  return text === undefined ? REQUEST_FAULT : toCredential(text, maxBytes);
}

/** The Cookie header without the cookie of this name; undefined = nothing is left that can be passed on. */
export function withoutCookie(headers: HeaderFields, name: string): string | undefined {
  const rest = splitCookies(headers)
    .filter((cookie) => cookie.name !== name)
    .map(({ text }) => text)
    .join('; ');
  return /^[\x20-\x7e]+$/.test(rest) ? rest : undefined;
}

function findValues(headers: HeaderFields, place: CredentialPlace): readonly string[] {
  switch (place.kind) {
    case 'bearer':
      return headers.get(AUTHORIZATION) ?? [];
    case 'header':
      return headers.get(place.name) ?? [];
    case 'cookie':
      return splitCookies(headers)
        .filter(({ name }) => name === place.name)
        .map(({ value }) => value);
  }
}

function toCredential(text: string, maxBytes: number): Credential {
  try {
    return { kind: 'token', token: parseToken(text, maxBytes) };
  } catch (error) {
    if (error instanceof IntrospectdError) return { kind: 'fault', of: 'token' };
    throw error;
  }
}

function hasQueryToken(path: string): boolean {
  const start = path.indexOf('?');
  if (start === -1) return false;
  // To take a query apart costs as much as all the rest: only where the name may be in it, plain or encoded.
  if (!MAY_HAVE_TOKEN.test(path)) return false;
  // Some servers also part at ";".
  return [...new URLSearchParams(path.slice(start + 1).replaceAll(';', '&')).keys()].some(
    (name) => name.toLowerCase() === 'access_token',
  );
}

/** RFC 6265 §5.4; HTTP/2 may bring them in several headers. */
function splitCookies(headers: HeaderFields) {
  const pairs = (headers.get(COOKIE) ?? []).flatMap((header) => header.split(';'));
  return pairs
    .map((pair) => pair.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const end = text.indexOf('=');
      return end === -1
        ? { text, name: '', value: text }
        : { text, name: text.slice(0, end).trim(), value: text.slice(end + 1).trim() };
    });
}
