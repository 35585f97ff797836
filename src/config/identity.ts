// SPIFFE-ID §2: lower-case trust domain, then path segments; never a query, a port, an empty or a dot segment.
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)+$/;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;
const DNS_PREFIX = 'dns:';

export function isSpiffeId(text: string): boolean {
  return text.length <= 2048 && SPIFFE_ID.test(text);
}

/** Exact and in lower case: no wildcard. */
export function isDnsName(text: string): boolean {
  return DNS_NAME.test(text);
}

/** What a policy may name a caller by: "spiffe://trust-domain/path" or "dns:name". */
export function isIdentity(text: string): boolean {
  return isSpiffeId(text) || (text.startsWith(DNS_PREFIX) && isDnsName(text.slice(DNS_PREFIX.length)));
}
