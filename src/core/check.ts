// May this request go on? The verdict of ext_authz, in no words of Envoy's: credential, one judge, proof, demands.
import { type CredentialBearer, type CredentialPlace, findCredential } from './bearer.js';
import { type DemandFault, type Demands, isDemandFault, type Profiles, rememberDemands } from './demands.js';
import type { Introspect } from './introspect.js';
import type { Caller } from './policy.js';

export interface CheckedRequest extends CredentialBearer {
  /** What the route says to us. */
  readonly extensions: ReadonlyMap<string, string>;
  /** base64url(sha256(DER)) of the certificate that the client showed; undefined where there is none. */
  findPeerThumbprint(): string | undefined;
}

/** The claims that demands are about. */
export interface CheckedClaims {
  readonly iss: string | undefined;
  readonly scope: string | undefined;
  readonly acr: string | undefined;
  readonly tokenUse: string | undefined;
  /** RFC 7800: who must prove what before the token is good. */
  readonly cnf: { readonly x5tS256?: string | undefined; readonly jkt?: string | undefined } | undefined;
}

/** Why a request is refused. The client is told no more than its HTTP status and an OAuth error. */
export type Denial =
  | 'credential_missing'
  | 'credential_fault'
  | 'token_fault'
  | 'token_inactive'
  | 'token_unproven'
  | 'token_not_meant'
  | 'scope_insufficient'
  | 'acr_insufficient'
  | 'misconfigured';

export interface Denied {
  readonly outcome: 'denied';
  readonly denial: Denial;
  /** What would have been enough: scopes or acr values. */
  readonly needed: readonly string[];
  /** Of `misconfigured`. */
  readonly fault: DemandFault | undefined;
}

export type CheckVerdict<Claims> =
  | Denied
  | { readonly outcome: 'anonymous' }
  | { readonly outcome: 'allowed'; readonly claims: Claims };

/** Rejects with StoreUnavailable when the store gives no proof in time. */
export type Check<Claims> = (caller: Caller, request: CheckedRequest) => Promise<CheckVerdict<Claims>>;

export interface CheckDependencies<Claims> {
  readonly introspect: Introspect;
  readonly profiles: Profiles;
  readonly place: CredentialPlace;
  readonly tokenBytes: number;
  /** Of encoded TokenClaims. Throws StoreUnavailable on bytes that cannot be read. */
  readonly decodeClaims: (bytes: Uint8Array) => Claims;
}

export function createCheck<Claims extends CheckedClaims>(deps: CheckDependencies<Claims>): Check<Claims> {
  const { introspect, place, tokenBytes, decodeClaims } = deps;
  const findDemands = rememberDemands(deps.profiles);
  return async (caller, request) => {
    const demands = findDemands(caller, request.extensions);
    if (isDemandFault(demands)) return denied('misconfigured', { fault: demands });
    const credential = findCredential(request, place, tokenBytes);
    // Only a request with no credential at all is anonymous: a bad one is refused.
    if (credential.kind === 'none') return demands.anonymous ? { outcome: 'anonymous' } : denied('credential_missing');
    if (credential.kind === 'fault') return denied(credential.of === 'token' ? 'token_fault' : 'credential_fault');
    const verdict = await introspect.one({ caller, audiences: [demands.audience] }, credential.token);
    if (!verdict.active) return denied('token_inactive');
    const claims = decodeClaims(verdict.claims);
    return findUnmet(claims, demands, request) ?? { outcome: 'allowed', claims };
  };
}

function findUnmet(claims: CheckedClaims, demands: Demands, request: CheckedRequest): Denied | undefined {
  if (!isProven(claims.cnf, request)) return denied('token_unproven');
  if (!isOneOfEach(claims.iss, demands.issuers)) return denied('token_not_meant');
  if (!isOneOfEach(claims.tokenUse, demands.tokenUse)) return denied('token_not_meant');
  // RFC 9470 §3.
  const acr = demands.acr.find((accepted) => !isOneOfEach(claims.acr, [accepted]));
  if (acr !== undefined) return denied('acr_insufficient', { needed: acr });
  const scopes = new Set(claims.scope?.split(' '));
  if (!demands.scopesAll.every((scope) => scopes.has(scope)))
    return denied('scope_insufficient', { needed: demands.scopesAll });
  const any = demands.scopesAny.find((accepted) => !accepted.some((scope) => scopes.has(scope)));
  return any === undefined ? undefined : denied('scope_insufficient', { needed: any });
}

/**
 * Every member that is there must have been proven, and at least one must be: a bound token without its proof is a stolen
 * one (RFC 8705 §3, RFC 9449 §7.1). No DPoP proof is verified here, so none of jkt ever is.
 */
function isProven(cnf: CheckedClaims['cnf'], request: CheckedRequest): boolean {
  if (cnf === undefined) return true;
  return cnf.jkt === undefined && cnf.x5tS256 !== undefined && cnf.x5tS256 === request.findPeerThumbprint();
}

function isOneOfEach(value: string | undefined, lists: readonly (readonly string[])[]): boolean {
  return lists.every((list) => value !== undefined && list.includes(value));
}

function denied(denial: Denial, details: Partial<Pick<Denied, 'needed' | 'fault'>> = {}): Denied {
  return { outcome: 'denied', denial, needed: [], fault: undefined, ...details };
}
