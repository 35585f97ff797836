// What a client is told when its request is refused: an HTTP status and an error of RFC 6750 or RFC 9470. Never why a
// token is not active.
import type { Denial, Denied } from '../core/check.js';
import { IntrospectdError, RateLimited, type Reason } from '../core/errors.js';

export interface Refusal {
  readonly httpStatus: 401 | 403 | 503;
  /** In the body. */
  readonly error: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

interface Challenge {
  readonly httpStatus: 401 | 403;
  /** Undefined: RFC 6750 §3.1, no error code for who sent no credential. */
  readonly error?: string;
  /** Parameter that says what would have been enough. */
  readonly needed?: 'scope' | 'acr_values';
}

const CHALLENGES: Readonly<Record<Exclude<Denial, 'misconfigured'>, Challenge>> = {
  credential_missing: { httpStatus: 401 },
  credential_fault: { httpStatus: 401, error: 'invalid_request' },
  token_fault: { httpStatus: 401, error: 'invalid_token' },
  token_inactive: { httpStatus: 401, error: 'invalid_token' },
  token_unproven: { httpStatus: 401, error: 'invalid_token' },
  token_not_meant: { httpStatus: 401, error: 'invalid_token' },
  scope_insufficient: { httpStatus: 403, error: 'insufficient_scope', needed: 'scope' },
  acr_insufficient: { httpStatus: 401, error: 'insufficient_user_authentication', needed: 'acr_values' },
};

/** Nobody else can put it right, and nobody outside should know: the log has it. */
const FORBIDDEN: Refusal = { httpStatus: 403, error: 'access_denied', headers: [] };
const DOUBT_RETRY_SECONDS = 1;

/** Reasons that say no: about who asks, or about a message that cannot be read. All others are doubt. */
const REFUSING: ReadonlySet<Reason> = new Set([
  'CALLER_UNIDENTIFIED',
  'CALLER_UNKNOWN',
  'CONDITION_NOT_MET',
  'PERMISSION_MISSING',
  'REQUEST_INVALID',
]);

export function toRefusal({ denial, needed }: Denied, realm: string): Refusal {
  if (denial === 'misconfigured') return FORBIDDEN;
  const { httpStatus, error, needed: parameter } = CHALLENGES[denial];
  const parameters = [
    `realm="${realm}"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(parameter === undefined ? [] : [`${parameter}="${needed.filter(isQuotable).join(' ')}"`]),
  ];
  return {
    httpStatus,
    error: error ?? 'credentials_required',
    headers: [['www-authenticate', `Bearer ${parameters.join(', ')}`]],
  };
}

/** For whatever was thrown: a refusal where that says no, else 503. */
export function toFailureRefusal(error: unknown): Refusal {
  if (error instanceof IntrospectdError && REFUSING.has(error.reason)) return FORBIDDEN;
  const seconds = error instanceof RateLimited ? Math.ceil(error.retryDelayMs / 1000) : DOUBT_RETRY_SECONDS;
  return { httpStatus: 503, error: 'temporarily_unavailable', headers: [['retry-after', String(seconds)]] };
}

/** RFC 6750 §3: what may stand in a quoted scope. */
function isQuotable(word: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word);
}
