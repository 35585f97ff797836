// Who may do what. Deny by default: a caller has what its entry lists and nothing else.
import { ALWAYS_SHOWN, type ClaimName, SHOWN_BY_DEFAULT, toMask } from './claims.js';
import type { TokenUse } from './entry.js';
import { IntrospectdError } from './errors.js';
import type { TagKind } from './key-ring.js';
import type { Rate } from './token-bucket.js';

export const PERMISSIONS = ['introspect', 'batch', 'stream', 'watch', 'register', 'check', 'explain'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export interface CallerRates {
  /** Of Introspect, BatchIntrospect and RegisterTokens, one per token; undefined = no limit. */
  readonly tokens: Rate | undefined;
  readonly revoke: Rate;
  /** Of revoking tokens that were never registered, each of which takes room in the store. */
  readonly unknownRevoke: Rate;
  /** Of Check; undefined = no limit. */
  readonly check: Rate | undefined;
}

/** When and from where a caller is let in. */
export interface CallerConditions {
  /** CIDR, such as "10.0.0.0/8"; undefined = from anywhere. */
  readonly networks: readonly string[] | undefined;
  /** The last instant, ms since the epoch; undefined = for good. */
  readonly notAfterMs: number | undefined;
}

const DEFAULT_RATES: CallerRates = {
  tokens: undefined,
  revoke: { perSecond: 2000, burst: 4000 },
  unknownRevoke: { perSecond: 10, burst: 100 },
  check: undefined,
};

/** What goes with permission "check". */
export interface CheckRule {
  /** Name of the profile that every Check of the caller is held to. */
  readonly profile: string | undefined;
  /** Whether a route or a profile may let requests without a token pass. */
  readonly anonymous: boolean;
}

/** A caller as its entry in the policy file says it. */
export interface CallerRule {
  readonly name: string;
  readonly identities: readonly string[];
  readonly permissions: readonly Permission[];
  readonly revoke: readonly TagKind[];
  readonly issuers: readonly string[];
  /** ["*"] = any, also tokens without aud. */
  readonly audiences: readonly string[];
  /** Undefined = access tokens alone. */
  readonly tokenUse: readonly TokenUse[] | undefined;
  /** Undefined = SHOWN_BY_DEFAULT. */
  readonly claims: readonly ClaimName[] | undefined;
  /** What is left out is as in DEFAULT_RATES. */
  readonly rates?: { readonly [Kind in keyof CallerRates]?: Rate | undefined } | undefined;
  readonly check?: CheckRule | undefined;
  readonly conditions?: CallerConditions | undefined;
}

/** The peer named by its certificate; immutable for a connection. */
export interface Caller {
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly revoke: ReadonlySet<TagKind>;
  readonly issuers: ReadonlySet<string>;
  readonly audiences: ReadonlySet<string>;
  readonly anyAudience: boolean;
  readonly tokenUse: ReadonlySet<TokenUse>;
  /** Claims it may see, as a presence mask. */
  readonly claimsMask: number;
  readonly rates: CallerRates;
  readonly check: CheckRule;
  readonly conditions: CallerConditions | undefined;
}

export interface Policy {
  /** Throws CALLER_UNKNOWN for identities that no caller, or more than one, has. */
  getCaller(identities: readonly string[]): Caller;
}

export function createPolicy(rules: readonly CallerRule[]): Policy {
  const callers = new Map<string, Caller>();
  for (const rule of rules) {
    const caller = createCaller(rule);
    for (const identity of rule.identities) {
      if (callers.has(identity)) throw new Error(`two callers have the identity ${identity}`);
      callers.set(identity, caller);
    }
  }
  return {
    getCaller: (identities) => {
      const matches = new Set(identities.flatMap((identity) => callers.get(identity) ?? []));
      const [caller] = matches;
      if (caller === undefined || matches.size > 1) {
        throw new IntrospectdError('CALLER_UNKNOWN', 'the policy does not know the caller that the certificate names');
      }
      return caller;
    },
  };
}

/** Whether one is answered as the other is: what a cache keeps of the one is good for the other. */
export function isAnsweredAlike(one: Caller, other: Caller): boolean {
  if (one === other) return true;
  const shape = ({ name, permissions, issuers, audiences, tokenUse, claimsMask }: Caller): string =>
    JSON.stringify([name, claimsMask, ...[permissions, issuers, audiences, tokenUse].map((set) => [...set].sort())]);
  return shape(one) === shape(other);
}

/** Throws PERMISSION_MISSING. */
export function requirePermission(caller: Caller, permission: Permission): void {
  if (!caller.permissions.has(permission)) {
    throw new IntrospectdError('PERMISSION_MISSING', `the policy does not give the caller permission "${permission}"`);
  }
}

/** Throws PERMISSION_MISSING. */
export function requireRevoke(caller: Caller, kind: TagKind): void {
  if (!caller.revoke.has(kind)) {
    throw new IntrospectdError('PERMISSION_MISSING', `the policy does not let the caller revoke by "${kind}"`);
  }
}

function createCaller(rule: CallerRule): Caller {
  return {
    name: rule.name,
    permissions: new Set(rule.permissions),
    revoke: new Set(rule.revoke),
    issuers: new Set(rule.issuers),
    audiences: new Set(rule.audiences),
    anyAudience: rule.audiences.includes('*'),
    tokenUse: new Set(rule.tokenUse ?? ['access_token']),
    claimsMask: toMask([...ALWAYS_SHOWN, ...(rule.claims ?? SHOWN_BY_DEFAULT)]),
    rates: {
      tokens: rule.rates?.tokens ?? DEFAULT_RATES.tokens,
      revoke: rule.rates?.revoke ?? DEFAULT_RATES.revoke,
      unknownRevoke: rule.rates?.unknownRevoke ?? DEFAULT_RATES.unknownRevoke,
      check: rule.rates?.check ?? DEFAULT_RATES.check,
    },
    check: rule.check ?? { profile: undefined, anonymous: false },
    conditions: rule.conditions,
  };
}
