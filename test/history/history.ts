// What the processes of a history test write down. Times are milliseconds of the monotonic clock, which all processes of
// one machine share.

export interface IssuedToken {
  readonly id: number;
  readonly invokeMs: number;
  /** When the registration was known to be durable. */
  readonly returnMs: number;
  /** issued_at_ms, by the wall clock. */
  readonly issuedAtMs: number;
  /** exp, put on the monotonic clock. */
  readonly endsMs: number;
}

/** wrong: active, with claims that the token was not registered with. error: no answer. */
export type Answer = 'active' | 'inactive' | 'wrong' | 'error';

export interface Read {
  readonly token: number;
  readonly invokeMs: number;
  readonly returnMs: number;
  readonly answer: Answer;
  /** Who answered: a server, or a cache out of its memory. */
  readonly from: 'server' | 'cache';
}

/** How a revocation names what dies; the value is that of the token. */
export const BY = ['token', 'jti', 'grant', 'session', 'client', 'subject', 'subject_client', 'issuer'] as const;
export type By = (typeof BY)[number];

export interface Revoked {
  readonly by: By;
  /** The token whose jti, grant and so on is named. */
  readonly token: number;
  /** issued_before, by the wall clock; undefined = all that was issued until the commit. */
  readonly issuedBeforeMs: number | undefined;
  readonly waitsForCaches: boolean;
  readonly invokeMs: number;
  readonly returnMs: number;
  /** OK. Anything else may have happened or not. */
  readonly acknowledged: boolean;
}

/** Now, for all processes of this machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
