// Where a request says which token it comes with (RFC 6750 §2.1). Only the header: a token in a URL is in every log.

export type Presented =
  | { readonly kind: 'token'; readonly token: string }
  /** It comes with none. */
  | { readonly kind: 'none' }
  /** It comes with one that cannot be read, or with more than one: then nobody knows which of them others looked at. */
  | { readonly kind: 'malformed' };

// b64token of RFC 6750 §2.1.
const CREDENTIALS = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;
const SCHEME = /^bearer(?: |$)/i;

/** All values of the field, each as it was sent. */
export function parseAuthorization(values: readonly string[]): Presented {
  if (values.length > 1) return { kind: 'malformed' };
  const [value = ''] = values;
  if (!SCHEME.test(value)) return { kind: 'none' };
  const token = CREDENTIALS.exec(value)?.[1];
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token };
}
