// What a token must be for the service that it is presented to. Knows no transport.
import { createHash } from 'node:crypto';
import type { IntrospectionClient } from '../introspection-client.js';
import { IntrospectionError } from '../introspection-error.js';
import type { ActiveToken, IntrospectionResult, TokenUse } from '../introspection-result.js';
import type { Presented } from './bearer.js';

/** What a guard asks of tokens. */
export interface TokenRequirements {
  /**
   * Who this service is: the token must be meant for one of these. One at least; a token for somebody else is no token
   * for you (RFC 9068 §4).
   */
  readonly audiences: readonly [string, ...string[]];
  /**
   * The token must have all of these scopes (RFC 6749 §3.3).
   *
   * @defaultValue none
   */
  readonly scopes?: readonly string[] | undefined;
  /**
   * What the token must be for.
   *
   * @defaultValue 'access_token': no refresh token opens a door
   */
  readonly tokenUse?: TokenUse | undefined;
  /**
   * The token must be from one of these.
   *
   * @defaultValue any issuer that the policy of the daemon lets this service see
   */
  readonly issuers?: readonly string[] | undefined;
  /**
   * Never answer from memory, as `introspect` with `fresh`.
   *
   * @defaultValue false
   */
  readonly fresh?: boolean | undefined;
}

/** Who presents the token, as far as the connection proves it. */
export interface Presenter {
  /** The certificate of the TLS handshake, DER. */
  readonly certificate: Uint8Array | undefined;
}

export type Verdict =
  | { readonly kind: 'allowed'; readonly token: ActiveToken }
  /** RFC 6750 §3.1; without an error when the request came without a token. */
  | { readonly kind: 'refused'; readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | undefined }
  /** Nobody knows. */
  | { readonly kind: 'unknown'; readonly retryAfterMs: number | undefined };

/** Throws INVALID_ARGUMENT for requirements that would let more through than they seem to. */
export function checkRequirements({ audiences, scopes = [] }: TokenRequirements): void {
  if (!Array.isArray(audiences) || audiences.length === 0 || !audiences.every((audience) => audience)) {
    throw new IntrospectionError('INVALID_ARGUMENT', 'audiences names this service: one at least, none empty');
  }
  if (!scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))) {
    throw new IntrospectionError('INVALID_ARGUMENT', 'scopes is a list of scopes, one in each place');
  }
}

export async function judgeRequest(
  client: Pick<IntrospectionClient, 'introspect'>,
  requirements: TokenRequirements,
  presented: Presented,
  presenter: Presenter,
): Promise<Verdict> {
  if (presented.kind === 'none') return { kind: 'refused', error: undefined };
  if (presented.kind === 'malformed') return { kind: 'refused', error: 'invalid_request' };
  const { audiences, fresh = false } = requirements;
  try {
    return judge(await client.introspect(presented.token, { audiences, fresh }), requirements, presenter);
  } catch (error) {
    if (!(error instanceof IntrospectionError)) throw error;
    // The one error that is about the token: no daemon takes it, so none knows it.
    if (error.reason === 'TOKEN_TOO_LONG' || error.reason === 'TOKEN_MALFORMED') {
      return { kind: 'refused', error: 'invalid_token' };
    }
    return { kind: 'unknown', retryAfterMs: error.retryable ? (error.retryDelayMs ?? 1_000) : undefined };
  }
}

const REFUSED = { kind: 'refused', error: 'invalid_token' } as const;

function judge(result: IntrospectionResult, requirements: TokenRequirements, presenter: Presenter): Verdict {
  const { audiences, scopes = [], tokenUse = 'access_token', issuers } = requirements;
  if (!result.active) return REFUSED;
  // The daemon was asked for these audiences; what it answered is looked at all the same.
  if (!result.aud?.some((audience) => audiences.includes(audience))) return REFUSED;
  if (issuers !== undefined && !issuers.includes(result.iss)) return REFUSED;
  if (result.token_use !== tokenUse) return REFUSED;
  if (!isPresentedAsBound(result, presenter)) return REFUSED;
  const granted = result.scope?.split(' ') ?? [];
  if (!scopes.every((scope) => granted.includes(scope))) return { kind: 'refused', error: 'insufficient_scope' };
  return { kind: 'allowed', token: result };
}

/** RFC 7800: a token with `cnf` is worth nothing without a proof of each of its keys. */
function isPresentedAsBound({ cnf, token_type }: ActiveToken, { certificate }: Presenter): boolean {
  // RFC 9449 §7.1: not to be taken as a bearer token.
  if (token_type?.toLowerCase() === 'dpop') return false;
  if (cnf === undefined) return true;
  const { 'x5t#S256': thumbprint, ...unproven } = cnf;
  if (thumbprint === undefined || Object.keys(unproven).length > 0) return false;
  // RFC 8705 §3.1. The handshake proved that the presenter holds the key of the certificate.
  return certificate !== undefined && createHash('sha256').update(certificate).digest('base64url') === thumbprint;
}
