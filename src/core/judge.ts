// The one judge: every door (unary, batch, ext_authz, CLI) asks it, and it alone says "active", in its last line.
import type { Entry } from './entry.js';
import type { KeyRing } from './key-ring.js';
import type { Caller } from './policy.js';
import type { RevocationTable } from './revocation-table.js';

/** Told to callers with permission "explain"; to all others every inactive answer is the same bytes. */
export type InactiveReason =
  | 'NOT_FOUND'
  | 'REVOKED'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'AUDIENCE_MISMATCH'
  | 'TOKEN_USE_MISMATCH';

export interface Inactive {
  readonly active: false;
  readonly reason: InactiveReason;
}

export interface Active {
  readonly active: true;
  /** Encoded TokenClaims, all of them, and which are present: pass on only what the caller's claimsMask allows. */
  readonly claims: Uint8Array;
  readonly mask: number;
  readonly iss: string;
  /** Of what the token belongs to beside itself and its issuer, 8 bytes each. */
  readonly recordTags: Uint8Array;
  /** Until exp, by the later of the two clocks. */
  readonly lifetimeMs: number;
}

export interface Question {
  readonly caller: Caller;
  /** Answer for one of these only; empty = any that the policy allows. */
  readonly audiences: readonly string[];
  readonly revocations: Pick<RevocationTable, 'isRevoked'>;
  readonly issuerTag: KeyRing['issuerTag'];
  /** Two clocks, ms: doubt between them is read against the token. */
  readonly storeTimeMs: number;
  readonly serverTimeMs: number;
}

export function judge(entry: Entry | undefined, question: Question): Inactive | Active {
  const { caller, revocations, issuerTag, storeTimeMs, serverTimeMs } = question;
  if (entry === undefined) return inactive('NOT_FOUND');
  // RFC 7662 §4: outside the caller's issuers nothing is told, not even to those who may ask why.
  if (!caller.issuers.has(entry.iss)) return inactive('NOT_FOUND');
  if (entry.kind === 'tombstone') return inactive('REVOKED');
  if (revocations.isRevoked(entry.tags, entry.issueInstantMs)) return inactive('REVOKED');
  if (revocations.isRevoked(issuerTag(entry.iss), entry.issueInstantMs)) return inactive('REVOKED');
  const lifetimeMs = entry.expMs - Math.max(storeTimeMs, serverTimeMs);
  if (lifetimeMs <= 0) return inactive('EXPIRED');
  if (entry.nbfMs !== undefined && Math.min(storeTimeMs, serverTimeMs) < entry.nbfMs) return inactive('NOT_YET_VALID');
  if (!caller.tokenUse.has(entry.tokenUse)) return inactive('TOKEN_USE_MISMATCH');
  if (!isMeantFor(entry.aud, question)) return inactive('AUDIENCE_MISMATCH');
  const { claims, mask, iss, tags: recordTags } = entry;
  return { active: true, claims, mask, iss, recordTags, lifetimeMs };
}

function isMeantFor(aud: readonly string[], { caller, audiences }: Question): boolean {
  if (caller.anyAudience && audiences.length === 0) return true;
  for (const audience of aud) {
    const isAllowed = caller.anyAudience || caller.audiences.has(audience);
    if (isAllowed && (audiences.length === 0 || audiences.includes(audience))) return true;
  }
  return false;
}

function inactive(reason: InactiveReason): Inactive {
  return { active: false, reason };
}
