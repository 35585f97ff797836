// What each caller has used of its rates. Buckets belong to the name: a new connection or policy does not fill them.
import type { Check } from './check.js';
import { RateLimited } from './errors.js';
import type { Introspect } from './introspect.js';
import type { Caller, CallerRates } from './policy.js';
import type { Register, RegisterMany } from './register.js';
import { createTokenBucket, type Rate, type TokenBucket } from './token-bucket.js';

export type RateKind = keyof CallerRates;

export interface Rates {
  /** 0 = charged; else nothing was, and it is worth asking again after so many ms. */
  tryCharge(caller: Caller, kind: RateKind, cost: number): number;
  /** Of what was charged and turned out not to be used. */
  giveBack(caller: Caller, kind: RateKind, cost: number): void;
}

/** `nowMs` never steps back, such as performance.now(). */
export function createRates(nowMs: () => number): Rates {
  const buckets: Readonly<Record<RateKind, Map<string, TokenBucket>>> = {
    tokens: new Map(),
    revoke: new Map(),
    unknownRevoke: new Map(),
    check: new Map(),
  };

  function findBucket({ name, rates }: Caller, kind: RateKind): TokenBucket | undefined {
    const rate = rates[kind];
    if (rate === undefined) return undefined;
    const known = buckets[kind].get(name);
    if (known !== undefined && isSame(known.rate, rate)) return known;
    const bucket = createTokenBucket(rate, nowMs());
    buckets[kind].set(name, bucket);
    return bucket;
  }

  return {
    tryCharge: (caller, kind, cost) => findBucket(caller, kind)?.take(cost, nowMs()) ?? 0,
    giveBack: (caller, kind, cost) => findBucket(caller, kind)?.giveBack(cost),
  };
}

/** Throws RATE_LIMITED. */
export function charge(rates: Rates, caller: Caller, kind: RateKind, cost: number): void {
  const retryDelayMs = rates.tryCharge(caller, kind, cost);
  if (retryDelayMs > 0) throw new RateLimited(retryDelayMs);
}

/** One per token, whichever method brings it. */
export function limitIntrospect(introspect: Introspect, rates: Rates): Introspect {
  return {
    // Not async: a promise around a promise costs a call more than the bucket does.
    one: (command, token) => {
      const retryDelayMs = rates.tryCharge(command.caller, 'tokens', 1);
      return retryDelayMs > 0 ? Promise.reject(new RateLimited(retryDelayMs)) : introspect.one(command, token);
    },
    many: async (command, items, pace) => {
      charge(rates, command.caller, 'tokens', items.length);
      return introspect.many(command, items, pace);
    },
  };
}

/** One per Check, whatever it is about. The rate of tokens is not for it: a proxy asks for everybody behind it. */
export function limitCheck<Claims>(check: Check<Claims>, rates: Rates): Check<Claims> {
  return async (caller, request) => {
    charge(rates, caller, 'check', 1);
    return check(caller, request);
  };
}

/** One per entry. */
export function limitRegister(register: Register, rates: Rates): Register {
  const limit =
    (many: RegisterMany): RegisterMany =>
    async (caller, items, pace) => {
      charge(rates, caller, 'tokens', items.length);
      return many(caller, items, pace);
    };
  return { many: limit(register.many), rehearse: limit(register.rehearse) };
}

function isSame(a: Rate, b: Rate): boolean {
  return a.perSecond === b.perSecond && a.burst === b.burst;
}
