// Revokes a token: one atomic step in the store. Whoever holds the token string may revoke it (RFC 7009 §2.1).
import { decodeEntry } from './entry.js';
import { IntrospectdError, RateLimited } from './errors.js';
import type { KeyRing } from './key-ring.js';
import type { Caller } from './policy.js';
import { charge, type Rates } from './rates.js';
import { type Token, tokenSha256 } from './token.js';
import { type Cursor, END_OF_TIME_MS, type TokenStore } from './token-store.js';

export interface Revoked {
  readonly revision: Cursor;
  /** For the audit record alone: the caller is answered alike for live, foreign, revoked and unknown tokens. */
  readonly iss: string | undefined;
  readonly beforeMs: number;
}

export interface Revoke {
  /**
   * Resolves once nobody, on any server, is told any more that the token is active. Throws RATE_LIMITED and
   * UNKNOWN_TOKENS_EXHAUSTED.
   */
  token(token: Token, caller: Caller): Promise<Revoked>;
}

export interface RevokeDependencies {
  readonly keyRing: KeyRing;
  readonly store: Pick<TokenStore, 'revokeToken'>;
  readonly maxUnknownTombstones: number;
  readonly rates: Rates;
}

export function createRevoke({ keyRing, store, maxUnknownTombstones, rates }: RevokeDependencies): Revoke {
  return {
    token: async (token, caller) => {
      charge(rates, caller, 'revoke', 1);
      // Only the store knows, in its atomic step, whether the token is known: charged before, given back if it was.
      // A caller that has used up its rate leaves no room for unknown tokens, and revokes known ones all the same.
      const retryDelayMs = rates.tryCharge(caller, 'unknownRevoke', 1);
      const sha256 = tokenSha256(token);
      const result = await store.revokeToken({
        digests: keyRing.digests(sha256),
        tokenTag: keyRing.tag('token', '', sha256),
        maxUnknownTombstones: retryDelayMs > 0 ? 0 : maxUnknownTombstones,
      });
      if (result.outcome === 'exhausted') {
        if (retryDelayMs > 0) throw new RateLimited(retryDelayMs);
        throw new IntrospectdError('UNKNOWN_TOKENS_EXHAUSTED', 'too many unknown tokens were revoked; retry later');
      }
      if (retryDelayMs === 0 && result.replaced !== undefined) rates.giveBack(caller, 'unknownRevoke', 1);
      const iss = result.replaced && decodeEntry(result.replaced).iss;
      return { revision: result.revision, iss: iss || undefined, beforeMs: END_OF_TIME_MS };
    },
  };
}
