// What a route demands of a token: from the daemon's profiles and from the route itself, each of which only narrows.
import type { TokenUse } from './entry.js';
import type { Caller } from './policy.js';

/** What is left out demands nothing. */
export interface Profile {
  readonly audience?: string | undefined;
  /** Every one of these. */
  readonly scopesAll?: readonly string[] | undefined;
  /** At least one of these; so too issuers, tokenUse and acr. */
  readonly scopesAny?: readonly string[] | undefined;
  readonly issuers?: readonly string[] | undefined;
  readonly tokenUse?: readonly string[] | undefined;
  readonly acr?: readonly string[] | undefined;
  /** True: requests without a token pass, where the policy allows it too. False: never, whatever else says so. */
  readonly anonymous?: boolean | undefined;
}

export type Profiles = ReadonlyMap<string, Profile>;

/** All of it must be met. A list in a list: one of these. */
export interface Demands {
  readonly audience: string;
  readonly scopesAll: readonly string[];
  readonly scopesAny: readonly (readonly string[])[];
  readonly issuers: readonly (readonly string[])[];
  readonly tokenUse: readonly (readonly string[])[];
  readonly acr: readonly (readonly string[])[];
  readonly anonymous: boolean;
}

/** A fault of the operator, for the log: fixed words, and the key at fault where it is one. */
export interface DemandFault {
  readonly problem: string;
  readonly key: string | undefined;
}

const TOKEN_USES: readonly TokenUse[] = ['access_token', 'refresh_token'];
// A list in a context extension: words parted by one space, as in `scope` (RFC 6749 §3.3).
const WORDS = /^\S+(?: \S+)*$/;

/** How each context extension is read; undefined = its value is at fault. `profile` names a profile. */
const EXTENSIONS: ReadonlyMap<string, (value: string) => Profile | undefined> = new Map<
  string,
  (value: string) => Profile | undefined
>([
  ['audience', (value) => (/^\S+$/.test(value) ? { audience: value } : undefined)],
  ['scopes_all', (value) => toWords(value, (scopesAll) => ({ scopesAll }))],
  ['scopes_any', (value) => toWords(value, (scopesAny) => ({ scopesAny }))],
  ['issuers', (value) => toWords(value, (issuers) => ({ issuers }))],
  ['token_use', (value) => toWords(value, toTokenUse)],
  ['acr', (value) => toWords(value, (acr) => ({ acr }))],
  ['anonymous', toAnonymous],
]);
const PROFILE_KEY = 'profile';

/** Different routes of a caller that are remembered, and how long one may be: 1 MB for each caller at most. */
const MAX_ROUTES = 1000;
const MAX_ROUTE_LENGTH = 1000;

/**
 * As resolveDemands(), which it asks once for each route of a caller: a policy that is replaced brings other callers, and the
 * profiles are those of one configuration. Call it once for these.
 */
export function rememberDemands(profiles: Profiles) {
  const known = new WeakMap<Caller, Map<string, Demands>>();
  return (caller: Caller, extensions: ReadonlyMap<string, string>): Demands | DemandFault => {
    let routes = known.get(caller);
    if (routes === undefined) {
      routes = new Map();
      known.set(caller, routes);
    }
    let route = '';
    // The lengths keep pairs apart that would read the same joined.
    for (const [key, value] of extensions) route += `${key.length}:${key}${value.length}:${value}`;
    const found = routes.get(route);
    if (found !== undefined) return found;
    const resolved = resolveDemands(caller, profiles, extensions);
    // Whoever sends others without end, or long ones, has them resolved each time; and so does a fault, which is anybody's.
    const isKept = routes.size < MAX_ROUTES && route.length <= MAX_ROUTE_LENGTH && !isDemandFault(resolved);
    if (isKept) routes.set(route, resolved);
    return resolved;
  };
}

/** Deny by default: what is not understood, or says nothing of the audience, is a fault. */
function resolveDemands(
  caller: Caller,
  profiles: Profiles,
  extensions: ReadonlyMap<string, string>,
): Demands | DemandFault {
  const sources: Profile[] = [];
  for (const name of [caller.check.profile, extensions.get(PROFILE_KEY)]) {
    if (name === undefined) continue;
    const profile = profiles.get(name);
    if (profile === undefined) return { problem: 'there is no profile of this name', key: PROFILE_KEY };
    sources.push(profile);
  }
  for (const [key, value] of extensions) {
    if (key === PROFILE_KEY) continue;
    const read = EXTENSIONS.get(key);
    if (read === undefined) return { problem: 'unknown context extension', key };
    const source = read(value);
    if (source === undefined) return { problem: 'context extension with a value of the wrong form', key };
    sources.push(source);
  }
  const audience = resolveAudience(caller, sources);
  return typeof audience === 'string' ? toDemands(caller, sources, audience) : audience;
}

export function isDemandFault(result: Demands | DemandFault): result is DemandFault {
  return 'problem' in result;
}

function resolveAudience(caller: Caller, sources: readonly Profile[]): string | DemandFault {
  const named = new Set(sources.flatMap(({ audience }) => audience ?? []));
  const fault = (problem: string): DemandFault => ({ problem, key: 'audience' });
  if (named.size > 1) return fault('the route and the profiles name different audiences');
  const [audience] = named;
  if (audience !== undefined) {
    const isAllowed = caller.anyAudience || caller.audiences.has(audience);
    return isAllowed ? audience : fault('the policy does not give the caller this audience');
  }
  const [only] = caller.audiences;
  if (only !== undefined && caller.audiences.size === 1 && !caller.anyAudience) return only;
  return fault('neither the route nor a profile names the audience, and the policy has not exactly one');
}

function toDemands(caller: Caller, sources: readonly Profile[], audience: string): Demands {
  const lists = (read: (source: Profile) => readonly string[] | undefined) =>
    sources.flatMap((source) => {
      const list = read(source);
      return list === undefined ? [] : [list];
    });
  const anonymous = sources.map((source) => source.anonymous);
  return {
    audience,
    scopesAll: lists(({ scopesAll }) => scopesAll).flat(),
    scopesAny: lists(({ scopesAny }) => scopesAny),
    issuers: lists(({ issuers }) => issuers),
    tokenUse: lists(({ tokenUse }) => tokenUse),
    acr: lists(({ acr }) => acr),
    anonymous: caller.check.anonymous && anonymous.includes(true) && !anonymous.includes(false),
  };
}

function toWords(value: string, make: (words: readonly string[]) => Profile | undefined): Profile | undefined {
  return WORDS.test(value) ? make(value.split(' ')) : undefined;
}

function toTokenUse(words: readonly string[]): Profile | undefined {
  return words.every((word) => (TOKEN_USES as readonly string[]).includes(word)) ? { tokenUse: words } : undefined;
}

function toAnonymous(value: string): Profile | undefined {
  return value === 'true' || value === 'false' ? { anonymous: value === 'true' } : undefined;
}
