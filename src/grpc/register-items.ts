// RegisterTokensRequest -> what core registers: an entry at fault becomes its error, and the others go on.
import { type FieldViolation, IntrospectdError } from '../core/errors.js';
import type { RegisterItem } from '../core/register.js';
import { parseToken, parseTokenSha256, type TokenSha256, tokenSha256 } from '../core/token.js';
import { TokenClaims } from '../gen/introspectd/v1/token_claims.js';
import { RegisterTokensRequest, TokenEntry } from '../gen/introspectd/v1/token_registry_service.js';
import { encodeClaims, findClaimFaults, MAX_SECONDS } from './claims-codec.js';
import type { GrpcLimits } from './limits.js';
import { decodeRequest } from './method.js';
import { findUntypedConfirmations, hasUntypedConfirmation } from './untyped-confirmation.js';
import { createWireReader } from './wire-reader.js';

type EntryLimits = Pick<GrpcLimits, 'tokenBytes' | 'claimsBytes'>;

export interface RegisterEntries {
  readonly entries: readonly TokenEntry[];
  /** Indexes of entries whose cnf has members that were dropped. */
  readonly untypedConfirmations: ReadonlySet<number>;
}

const MAX_MS = MAX_SECONDS * 1000n + 999n;
/** Told of one entry, so that an answer stays smaller than its request. */
const MAX_VIOLATIONS = 20;

/** Throws on bytes that are no message. */
export function decodeRegisterEntries(bytes: Uint8Array): RegisterEntries {
  const { entries } = RegisterTokensRequest.decode(createWireReader(bytes));
  return { entries, untypedConfirmations: findUntypedConfirmations(bytes) };
}

export function parseRegisterItems(
  { entries, untypedConfirmations }: RegisterEntries,
  limits: EntryLimits,
): readonly (RegisterItem | IntrospectdError)[] {
  return entries.map((entry, index) =>
    orError(() => {
      const path = `entries[${index}]`;
      const untyped = untypedConfirmations.has(index) ? [untypedMember(path)] : [];
      return parseRegisterItem(entry, [...findEntryFaults(entry, path), ...untyped], limits);
    }),
  );
}

/** A TokenEntry, still encoded; `path` leads to it in its request. */
export function decodeRegisterItem(
  bytes: Uint8Array,
  path: string,
  limits: EntryLimits,
): RegisterItem | IntrospectdError {
  return orError(() => {
    const entry = decodeRequest(ENTRY, bytes);
    const untyped = hasUntypedConfirmation(bytes) ? [untypedMember(path)] : [];
    return parseRegisterItem(entry, [...findEntryFaults(entry, path), ...untyped], limits);
  });
}

const ENTRY = { decode: (bytes: Uint8Array) => TokenEntry.decode(createWireReader(bytes)) };

function orError(parse: () => RegisterItem): RegisterItem | IntrospectdError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof IntrospectdError) return error;
    throw error;
  }
}

function parseRegisterItem(entry: TokenEntry, faults: readonly FieldViolation[], limits: EntryLimits): RegisterItem {
  const sha256 = parseCredential(entry.credential, limits.tokenBytes);
  if (faults.length > 0) {
    throw new IntrospectdError('CLAIMS_INVALID', 'the claims have faults', faults.slice(0, MAX_VIOLATIONS));
  }
  const { judged, encoded, mask } = encodeClaims(getClaims(entry));
  if (encoded.length > limits.claimsBytes) {
    throw new IntrospectdError('CLAIMS_TOO_LARGE', `encoded claims have at most ${limits.claimsBytes} bytes`);
  }
  const issuedAtMs = entry.issuedAtMs === undefined ? undefined : Number(entry.issuedAtMs);
  return { sha256, claims: judged, encoded, mask, issuedAtMs };
}

function findEntryFaults(entry: TokenEntry, path: string): FieldViolation[] {
  const { issuedAtMs } = entry;
  const faults = [...findClaimFaults(getClaims(entry), `${path}.claims`)];
  if (issuedAtMs !== undefined && (issuedAtMs < 0n || issuedAtMs > MAX_MS)) {
    const description = `must be milliseconds since the epoch, 0..${MAX_MS}`;
    faults.push({ field: `${path}.issued_at_ms`, description });
  }
  return faults;
}

/** An entry without claims has the faults of empty ones. */
function getClaims(entry: TokenEntry): TokenClaims {
  return entry.claims ?? TokenClaims.decode(new Uint8Array(0));
}

function parseCredential(credential: TokenEntry['credential'], maxTokenBytes: number): TokenSha256 {
  switch (credential?.$case) {
    case 'token':
      return tokenSha256(parseToken(credential.value, maxTokenBytes));
    case 'tokenSha256':
      return parseTokenSha256(credential.value);
    default:
      throw new IntrospectdError('TOKEN_REQUIRED', 'token or token_sha256 is required');
  }
}

function untypedMember(path: string): FieldViolation {
  return { field: `${path}.claims.cnf`, description: 'has a member other than x5t_s256 and jkt' };
}
