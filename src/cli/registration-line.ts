// One line of what `register` reads: {"token" | "token_sha256", "claims", "issued_at_ms"?}.
import type { TokenEntry } from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { LineFault, parseClaims, toInteger, toMap } from './claims-json.js';

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Throws LineFault; its message shows nothing of the line. */
export function parseRegistrationLine(text: string): TokenEntry {
  const { token, token_sha256: sha256, claims, issued_at_ms: issuedAtMs, ...others } = toMap(parseJson(text), 'a line');
  if (Object.keys(others).length > 0) {
    throw new LineFault('a line may hold token or token_sha256, claims and issued_at_ms, and nothing else');
  }
  return {
    credential: toCredential(token, sha256),
    claims: parseClaims(claims),
    issuedAtMs: issuedAtMs === undefined ? undefined : toInteger(issuedAtMs, 'issued_at_ms'),
  };
}

function toCredential(token: unknown, sha256: unknown): TokenEntry['credential'] {
  if ((token === undefined) === (sha256 === undefined)) {
    throw new LineFault('exactly one of token and token_sha256 is needed');
  }
  if (typeof token === 'string') return { $case: 'token', value: token };
  if (typeof sha256 === 'string' && SHA256_HEX.test(sha256)) {
    return { $case: 'tokenSha256', value: Buffer.from(sha256, 'hex') };
  }
  throw new LineFault(token === undefined ? 'token_sha256 must be 64 lower-case hex characters' : 'token must be text');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the line.
    throw new LineFault('not JSON');
  }
}
