import { hash } from 'node:crypto';
import { IntrospectdError } from './errors.js';

/** The secret string. Lives in memory for one call only: never stored, logged, or put in a key, an error or a span. */
export type Token = string & { readonly __brand: 'Token' };

/** hex(sha256(token)), 64 lower-case characters. Still a secret: digests and tags are made of it under keys. */
export type TokenSha256 = string & { readonly __brand: 'TokenSha256' };

// RFC 6750 §2.1 b64token.
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Throws TOKEN_REQUIRED, TOKEN_TOO_LONG or TOKEN_MALFORMED; the value is never part of the message. */
export function parseToken(text: string, maxBytes: number): Token {
  if (text === '') throw new IntrospectdError('TOKEN_REQUIRED', 'a token is required');
  if (text.length > maxBytes) throw new IntrospectdError('TOKEN_TOO_LONG', `a token has at most ${maxBytes} bytes`);
  if (!B64TOKEN.test(text)) {
    throw new IntrospectdError('TOKEN_MALFORMED', 'a token has only b64token characters (RFC 6750 §2.1)');
  }
  return text as Token;
}

export function tokenSha256(token: Token): TokenSha256 {
  return hash('sha256', token, 'hex') as TokenSha256;
}

/** From the 32 bytes that an issuer registers in place of the token. */
export function parseTokenSha256(bytes: Uint8Array): TokenSha256 {
  if (bytes.length !== 32) throw new IntrospectdError('TOKEN_MALFORMED', 'token_sha256 has exactly 32 bytes');
  return Buffer.from(bytes).toString('hex') as TokenSha256;
}
