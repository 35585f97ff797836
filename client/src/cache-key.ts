// Names for what is asked and for tokens, that mean nothing outside this process: nobody who sees the memory or a dump of
// it can tell a token from them, or test whether a token was asked about.
import { hash, randomBytes } from 'node:crypto';

export interface CacheKeys {
  /** Of a question: of everything that its answer depends on. */
  ofQuestion(token: string, audiences: readonly string[]): string;
  /** Of a token, whatever is asked about it. */
  ofToken(token: string): string;
}

/** Distinct lists of audiences whose prefix is remembered; a service has one or a few. */
const MAX_PREFIXES = 1_000;

/** `caller` is the target and the identity that answers are for; another one has other keys. */
export function createCacheKeys(caller: readonly string[]): CacheKeys {
  const secret = randomBytes(32).toString('base64url');
  // All of one length, so that no two questions can be spelled alike.
  const prefixOf = (what: string, parts: readonly string[]) =>
    hash('sha256', secret + JSON.stringify([what, caller, parts]), 'base64url').slice(0, 22);
  const tokenPrefix = prefixOf('token', []);
  const anyAudience = prefixOf('question', []);
  // Apart, so that one audience is not taken for a list that is spelled like it.
  const ofOne = new Map<string, string>();
  const ofSeveral = new Map<string, string>();

  function findPrefix(audiences: readonly string[]): string {
    const [first] = audiences;
    if (first === undefined) return anyAudience;
    const [known, spelled] = audiences.length === 1 ? [ofOne, first] : [ofSeveral, JSON.stringify(audiences)];
    const prefix = known.get(spelled) ?? prefixOf('question', [...new Set(audiences)].sort());
    if (known.size >= MAX_PREFIXES) known.clear();
    known.set(spelled, prefix);
    return prefix;
  }

  return {
    ofQuestion: (token, audiences) => hash('sha256', findPrefix(audiences) + token, 'base64url'),
    ofToken: (token) => hash('sha256', tokenPrefix + token, 'base64url'),
  };
}
