// Revokes a token, or all tokens of something: one atomic step in the store. Whoever holds the token string may revoke
// it (RFC 7009 §2.1); all of something takes the policy's word for its kind and its issuer.
import { decodeEntry } from './entry.js';
import { IntrospectdError, RateLimited } from './errors.js';
import type { Fence } from './fence.js';
import type { KeyRing } from './key-ring.js';
import type { Caller } from './policy.js';
import { charge, type Rates } from './rates.js';
import { type Token, tokenSha256 } from './token.js';
import { type Committed, END_OF_TIME_MS, type TokenStore } from './token-store.js';
import { NEVER_REUSED, type Selector, toSelectorTag, toTokenTag } from './token-tags.js';

export interface Revoked extends Committed {
  /** For the audit record alone: the caller is answered alike for live, foreign, revoked and unknown tokens. */
  readonly iss: string | undefined;
  /** What now holds: tokens issued at or before this instant, ms, are dead. */
  readonly beforeMs: number;
}

/** Resolves once nobody, on any server, is told any more that one of the tokens is active. */
export interface Revoke {
  /** Throws RATE_LIMITED and UNKNOWN_TOKENS_EXHAUSTED. */
  token(token: Token, caller: Caller): Promise<Revoked>;
  /** Throws ISSUER_NOT_ALLOWED, RATE_LIMITED and ISSUED_BEFORE_IN_FUTURE. */
  allOf(command: RevokeAllOf, caller: Caller): Promise<Revoked>;
}

export interface RevokeAllOf {
  readonly selector: Selector;
  /** Tokens issued before this instant, ms; undefined = all that were issued. Not for what is never reused. */
  readonly issuedBeforeMs: number | undefined;
}

export interface RevokeDependencies {
  readonly keyRing: KeyRing;
  readonly store: Pick<TokenStore, 'revokeToken' | 'revokeTag'>;
  readonly fence: Pick<Fence, 'read'>;
  readonly maxUnknownTombstones: number;
  readonly rates: Rates;
}

export function createRevoke(dependencies: RevokeDependencies): Revoke {
  const { keyRing, store, fence, maxUnknownTombstones, rates } = dependencies;

  /** The last instant of issue that the revocation covers; undefined = the store's time at commit. */
  async function findBefore({ selector, issuedBeforeMs }: RevokeAllOf): Promise<number | undefined> {
    if (NEVER_REUSED.includes(selector.kind)) return END_OF_TIME_MS;
    if (issuedBeforeMs === undefined) return undefined;
    // By the store's time, for tokens are issued by it and a server's clock may be fast. It never steps back: what is not
    // in its future now is not at the commit.
    const { storeTimeMs } = await fence.read([]);
    if (issuedBeforeMs > storeTimeMs) throw issuedBeforeInFuture();
    return issuedBeforeMs - 1;
  }

  return {
    token: async (token, caller) => {
      charge(rates, caller, 'revoke', 1);
      // Only the store knows, in its atomic step, whether the token is known: charged before, given back if it was.
      // A caller that has used up its rate leaves no room for unknown tokens, and revokes known ones all the same.
      const retryDelayMs = rates.tryCharge(caller, 'unknownRevoke', 1);
      const sha256 = tokenSha256(token);
      const result = await store.revokeToken({
        digests: keyRing.digests(sha256),
        tokenTag: toTokenTag(keyRing, sha256),
        issuerTag: keyRing.issuerTag,
        maxUnknownTombstones: retryDelayMs > 0 ? 0 : maxUnknownTombstones,
      });
      if (result.outcome === 'exhausted') {
        if (retryDelayMs > 0) throw new RateLimited(retryDelayMs);
        throw new IntrospectdError('UNKNOWN_TOKENS_EXHAUSTED', 'too many unknown tokens were revoked; retry later');
      }
      const { revision, leasesEndInMs, replaced } = result;
      if (retryDelayMs === 0 && replaced !== undefined) rates.giveBack(caller, 'unknownRevoke', 1);
      const iss = replaced && decodeEntry(replaced).iss;
      return { revision, leasesEndInMs, iss: iss || undefined, beforeMs: END_OF_TIME_MS };
    },

    allOf: async (command, caller) => {
      const { selector } = command;
      if (!caller.issuers.has(selector.iss)) {
        throw new IntrospectdError('ISSUER_NOT_ALLOWED', 'the policy does not give the caller this issuer');
      }
      charge(rates, caller, 'revoke', 1);
      const { revision, leasesEndInMs, beforeMs } = await store.revokeTag({
        tag: toSelectorTag(keyRing, selector),
        issuerTag: toSelectorTag(keyRing, { kind: 'issuer', iss: selector.iss }),
        beforeMs: await findBefore(command),
      });
      return { revision, leasesEndInMs, iss: selector.iss, beforeMs };
    },
  };
}

function issuedBeforeInFuture(): IntrospectdError {
  return new IntrospectdError('ISSUED_BEFORE_IN_FUTURE', "issued_before is in the future by the store's time", [
    { field: 'issued_before', description: 'must not be in the future; leave it out for "now"' },
  ]);
}
