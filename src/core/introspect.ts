// Answers for one token and for many: digests, one store read, the judge. Knows no gRPC.

import type { IntrospectdError } from './errors.js';
import type { Caller } from './policy.js';
import type { Token } from './token.js';

export type InactiveReason =
  | 'NOT_FOUND'
  | 'REVOKED'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'AUDIENCE_MISMATCH'
  | 'TOKEN_USE_MISMATCH';

/** What the judge says. `reason` is for callers with permission "explain" and for metrics; the wire says it to no one else. */
export type Verdict =
  | { readonly active: false; readonly reason: InactiveReason }
  | {
      readonly active: true;
      /** Encoded TokenClaims, all of them. */
      readonly claims: Uint8Array;
      /** Which are present. Pass the bytes through only if this is within the caller's claimsMask. */
      readonly mask: number;
    };

export interface IntrospectCommand {
  readonly caller: Caller;
  /** Answer for one of these only; empty = any that the policy allows. */
  readonly audiences: readonly string[];
}

export interface Introspect {
  /** Rejects with StoreUnavailable when the store gives no proof in time. */
  one(command: IntrospectCommand, token: Token): Promise<Verdict>;
  /** In order; an item that is an error stays that error. A store outage rejects the call. */
  many(
    command: IntrospectCommand,
    items: readonly (Token | IntrospectdError)[],
  ): Promise<readonly (Verdict | IntrospectdError)[]>;
}
