// Makes tokens known: check what the issuer may register, build the records, one store call.
import type { JudgedClaims } from './claims.js';
import type { IntrospectdError } from './errors.js';
import type { Caller } from './policy.js';
import type { TokenSha256 } from './token.js';

export interface RegisterItem {
  readonly sha256: TokenSha256;
  readonly claims: JudgedClaims;
  /** Encoded TokenClaims, re-encoded by us, and which are present. */
  readonly encoded: Uint8Array;
  readonly mask: number;
  readonly issuedAtMs: number | undefined;
}

export interface Register {
  /** In order; undefined = OK. An item that is an error stays that error. A store outage rejects the call. */
  many(
    caller: Caller,
    items: readonly (RegisterItem | IntrospectdError)[],
  ): Promise<readonly (IntrospectdError | undefined)[]>;
}
