// Makes tokens known: check what the issuer may register, build the records, one store call.
import type { JudgedClaims } from './claims.js';
import { encodeRecord } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { KeyRing } from './key-ring.js';
import { inSlices, type Pace } from './low-priority.js';
import type { Caller } from './policy.js';
import type { TokenSha256 } from './token.js';
import type { RegisterEntry, RegisterOutcome, TokenStore } from './token-store.js';
import { toRecordTags } from './token-tags.js';

export interface RegisterItem {
  readonly sha256: TokenSha256;
  readonly claims: JudgedClaims;
  /** Encoded TokenClaims, re-encoded by us, and which are present. */
  readonly encoded: Uint8Array;
  readonly mask: number;
  readonly issuedAtMs: number | undefined;
}

export interface Register {
  /**
   * In order; undefined = OK. An item that is an error stays that error. A store outage rejects the call. With a pace, in
   * slices, each a write of its own: what yields to live calls.
   */
  many: RegisterMany;
  /** What many() would say of each item alone. Writes nothing. */
  rehearse: RegisterMany;
}

export type RegisterMany = (
  caller: Caller,
  items: readonly (RegisterItem | IntrospectdError)[],
  pace?: Pace,
) => Promise<readonly (IntrospectdError | undefined)[]>;

export interface RegisterDependencies {
  readonly keyRing: KeyRing;
  readonly store: Pick<TokenStore, 'register' | 'wouldRegister'>;
}

export function createRegister({ keyRing, store }: RegisterDependencies): Register {
  const by =
    (write: TokenStore['register']): RegisterMany =>
    async (caller, items, pace) => {
      if (pace === undefined) return settle(write, toEntries(keyRing, caller, items));
      const outcomes: Outcome[] = [];
      // One write is under way while the entries of the next are made, and no more: engines join what waits into one.
      let writing: Promise<readonly Outcome[]> = Promise.resolve([]);
      for (let start = 0; start < items.length; start += WRITTEN_AT_ONCE) {
        const checked: Checked[] = [];
        for await (const slice of inSlices(items.slice(start, start + WRITTEN_AT_ONCE), SLICE_ENTRIES, pace)) {
          checked.push(...toEntries(keyRing, caller, slice));
        }
        outcomes.push(...(await writing));
        await pace.turn();
        writing = settle(write, checked);
        // Waited for above, or below.
        writing.catch(() => undefined);
      }
      outcomes.push(...(await writing));
      return outcomes;
    };
  return {
    many: by((entries) => store.register(entries)),
    rehearse: by((entries) => store.wouldRegister(entries)),
  };
}

/** About half a millisecond (measured) to make; and one and a half to write to LMDB. */
const SLICE_ENTRIES = 25;
const WRITTEN_AT_ONCE = 100;

type Checked = RegisterEntry | IntrospectdError;
type Outcome = IntrospectdError | undefined;

function toEntries(
  keyRing: KeyRing,
  caller: Caller,
  items: readonly (RegisterItem | IntrospectdError)[],
): readonly Checked[] {
  return items.map((item) => toEntry(keyRing, caller, item));
}

async function settle(write: TokenStore['register'], checked: readonly Checked[]): Promise<readonly Outcome[]> {
  const entries = checked.filter((entry): entry is RegisterEntry => !(entry instanceof IntrospectdError));
  const outcomes = entries.length === 0 ? [] : await write(entries);
  let index = 0;
  return checked.map((entry) => (entry instanceof IntrospectdError ? entry : toError(outcomes[index++])));
}

function toEntry(
  keyRing: KeyRing,
  caller: Caller,
  item: RegisterItem | IntrospectdError,
): RegisterEntry | IntrospectdError {
  if (item instanceof IntrospectdError) return item;
  const { claims, sha256 } = item;
  if (!caller.issuers.has(claims.iss)) {
    return new IntrospectdError('ISSUER_NOT_ALLOWED', "the claim iss is not one of the caller's issuers");
  }
  const record = encodeRecord({
    tokenUse: claims.tokenUse,
    // iat has whole seconds: its last millisecond, so that a login in the second after a "revoke all" lives.
    claimedIssueMs: item.issuedAtMs ?? claims.iatSeconds * 1000 + 999,
    hasIssuedAtMs: item.issuedAtMs !== undefined,
    expSeconds: claims.expSeconds,
    nbfSeconds: claims.nbfSeconds,
    iss: claims.iss,
    aud: claims.aud,
    tags: toRecordTags(keyRing, claims),
    mask: item.mask,
    claims: item.encoded,
  });
  return { digests: keyRing.digests(sha256), record };
}

function toError(outcome: RegisterOutcome | undefined): IntrospectdError | undefined {
  switch (outcome) {
    case 'registered':
    case 'unchanged':
      return undefined;
    case 'exists':
      return new IntrospectdError('TOKEN_EXISTS', 'the token is registered with other claims');
    case 'revoked':
      return new IntrospectdError('TOKEN_REVOKED', 'the token, or something it belongs to, is revoked');
    case 'ttl_too_long':
      return new IntrospectdError(
        'TTL_TOO_LONG',
        "exp is further from the issue instant than the store's max_token_ttl",
      );
    case undefined:
      return new IntrospectdError('INTERNAL', 'the store gave no outcome for this entry');
  }
}
