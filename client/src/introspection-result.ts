// What is known about a token, under the names of RFC 7662 §2.2 and its relatives. Plain data: survives JSON.

/**
 * Why a token is inactive. Told only to callers with permission "explain":
 *
 * - `NOT_FOUND`: no such token, or one of an issuer that is not the caller's, or one that expired and was forgotten
 * - `REVOKED`: by itself, or by something it belongs to
 * - `EXPIRED`: at or past `exp`
 * - `NOT_YET_VALID`: before `nbf`
 * - `AUDIENCE_MISMATCH`: not meant for the caller, or for none of the audiences asked for
 * - `TOKEN_USE_MISMATCH`: for instance a refresh token at a resource server
 */
export type InactiveReason =
  | 'NOT_FOUND'
  | 'REVOKED'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'AUDIENCE_MISMATCH'
  | 'TOKEN_USE_MISMATCH';

/** What the token is for. Refresh tokens are shown only to callers whose policy lists them. */
export type TokenUse = 'access_token' | 'refresh_token';

/** The key that whoever presents the token must prove to hold (RFC 7800 §3.1). At least one member is present. */
export interface Confirmation {
  /** base64url of the SHA-256 of the presenter's client certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string;
  /** base64url of the SHA-256 thumbprint of the presenter's DPoP key (RFC 9449 §6.1). */
  readonly jkt?: string;
}

/** The token is not good, or not for this caller to know about. Say no more than "invalid token" to who presented it. */
export interface InactiveToken {
  readonly active: false;
  /** Why, for callers with permission "explain". For logs: do not pass it on to who presented the token. */
  readonly inactive_reason?: InactiveReason;
}

/**
 * The token was good when the server answered, and this is what the policy lets the caller see. A claim that is absent
 * was not set by the issuer or is not shown to this caller.
 */
export interface ActiveToken {
  readonly active: true;
  /** Who issued the token (RFC 7519 §4.1.1). */
  readonly iss: string;
  /** End of life, seconds since 1970-01-01T00:00:00Z. Do not keep the answer past it. */
  readonly exp: number;
  /** Scopes, separated by single spaces (RFC 6749 §3.3). */
  readonly scope?: string;
  /** The client that the token was issued to. */
  readonly client_id?: string;
  /** A name a human knows the resource owner by. */
  readonly username?: string;
  /** How the token is presented: `Bearer` or `DPoP` (RFC 6749 §7.1). */
  readonly token_type?: string;
  /** When the token was issued, seconds since the epoch. */
  readonly iat?: number;
  /** Not good before, seconds since the epoch. Already checked by the server. */
  readonly nbf?: number;
  /** The resource owner. */
  readonly sub?: string;
  /** Whom the token is meant for; always a list, never empty. */
  readonly aud?: readonly string[];
  /** The issuer's identifier of this token. */
  readonly jti?: string;
  /** When present, the token alone is not enough: check that the presenter holds this key (RFC 7800). */
  readonly cnf?: Confirmation;
  /** Who acts for the subject (RFC 8693 §4.1). */
  readonly act?: Readonly<Record<string, unknown>>;
  /** Rich authorization requests (RFC 9396). */
  readonly authorization_details?: readonly Readonly<Record<string, unknown>>[];
  /** The login session (OpenID Connect Front-Channel Logout §3). */
  readonly sid?: string;
  /** Authentication context class (RFC 9068 §2.2.1). */
  readonly acr?: string;
  /** When the user last authenticated, seconds since the epoch. */
  readonly auth_time?: number;
  /** What the token is for. */
  readonly token_use?: TokenUse;
  /** The grant that the token came from; refreshed tokens keep it. */
  readonly grant_id?: string;
  /**
   * Whatever else the issuer registered, as further members (RFC 7662 §2.2 allows these). They never take the name of
   * a member above, even where that one is absent.
   */
  readonly [claim: string]: unknown;
}

/** The answer for one token: look at `active` first (RFC 7662 §2.2). */
export type IntrospectionResult = ActiveToken | InactiveToken;
