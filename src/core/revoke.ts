// Revokes a token: one atomic step in the store. Whoever holds the token string may revoke it (RFC 7009 §2.1).
import { decodeEntry } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { KeyRing } from './key-ring.js';
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
   * Resolves once nobody, on any server, is told any more that the token is active. Throws UNKNOWN_TOKENS_EXHAUSTED.
   */
  token(token: Token): Promise<Revoked>;
}

export interface RevokeDependencies {
  readonly keyRing: KeyRing;
  readonly store: Pick<TokenStore, 'revokeToken'>;
  readonly maxUnknownTombstones: number;
}

export function createRevoke({ keyRing, store, maxUnknownTombstones }: RevokeDependencies): Revoke {
  return {
    token: async (token) => {
      const sha256 = tokenSha256(token);
      const result = await store.revokeToken({
        digests: keyRing.digests(sha256),
        tokenTag: keyRing.tag('token', '', sha256),
        maxUnknownTombstones,
      });
      if (result.outcome === 'exhausted') {
        throw new IntrospectdError('UNKNOWN_TOKENS_EXHAUSTED', 'too many unknown tokens were revoked; retry later');
      }
      const iss = result.replaced && decodeEntry(result.replaced).iss;
      return { revision: result.revision, iss: iss || undefined, beforeMs: END_OF_TIME_MS };
    },
  };
}
