/**
 * All tokens of something of one issuer. `iss` and one more of the members, or `sub` and `client_id` together, under the
 * names of the claims that the tokens were registered with:
 *
 * - `jti`, `grant_id`, `sid`: revoked for good, also what is registered later
 * - `client_id`, `sub`, both, `all_tokens`: what was issued until now, or before `issuedBefore`
 */
export interface RevocationSelector {
  /** Whose tokens. Needs to be one of the caller's issuers. */
  readonly iss: string;
  /** The one token with this identifier, registered or not. */
  readonly jti?: string | undefined;
  /** All tokens of a grant. */
  readonly grant_id?: string | undefined;
  /** All tokens of a login session. */
  readonly sid?: string | undefined;
  /** All tokens of a user; with `client_id`, of that user at that client. */
  readonly sub?: string | undefined;
  /** All tokens of a client. */
  readonly client_id?: string | undefined;
  /** Everything that the issuer issued. */
  readonly all_tokens?: true | undefined;
}
