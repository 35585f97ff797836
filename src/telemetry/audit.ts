// One record for every accepted or refused Revoke and RegisterTokens, whatever the log level is.
import type { Logger } from './logger.js';

export interface AuditRecord {
  readonly action: 'revoke' | 'register';
  /** Undefined when the caller was refused before it was known. */
  readonly caller: string | undefined;
  readonly requestId: string;
  /** Name of the gRPC code. */
  readonly code: string;
  readonly details: AuditDetails;
}

/** What is known of the action; all of it is left out of a record where it is not. */
export interface AuditDetails {
  /** What was revoked: a kind of tag. */
  readonly kind?: string | undefined;
  readonly iss?: string | undefined;
  /** What was named, as a digest under the log key. */
  readonly value?: string | undefined;
  /** What the caller asked for. */
  readonly issuedBeforeMs?: number | undefined;
  /** What holds now: all that was issued at or before this instant is dead. */
  readonly beforeMs?: number | undefined;
  /** The caller's own words. */
  readonly reason?: string | undefined;
  readonly revision?: string | undefined;
  /** Undefined = the caller did not ask for it. */
  readonly waitsForCaches?: true | undefined;
  readonly count?: number | undefined;
  /** How many of `count` were refused. */
  readonly refused?: number | undefined;
}

export interface Audit {
  /** Never throws: a sink that fails must not hold back a revocation. */
  write(record: AuditRecord): void;
}

// Controls, line separators and formatting such as right-to-left marks: what could forge or hide a line in a viewer.
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu;
const MAX_TEXT_LENGTH = 256;

// Codes after which nobody knows whether the write was made.
const UNKNOWN_OUTCOME: ReadonlySet<string> = new Set(['UNAVAILABLE', 'INTERNAL', 'DEADLINE_EXCEEDED', 'CANCELLED']);

export function createAudit(logger: Logger): Audit {
  return {
    write: ({ action, caller, requestId, code, details }) =>
      logger.writeAlways('audit', {
        action,
        outcome: toOutcome(code),
        code,
        caller,
        kind: details.kind,
        iss: toPlainText(details.iss),
        value: details.value,
        issued_before_ms: details.issuedBeforeMs,
        before_ms: details.beforeMs,
        reason: toPlainText(details.reason),
        revision: details.revision,
        waits_for_caches: details.waitsForCaches,
        count: details.count,
        refused: details.refused,
        request_id: requestId,
      }),
  };
}

function toOutcome(code: string): string {
  if (code === 'OK') return 'accepted';
  return UNKNOWN_OUTCOME.has(code) ? 'unknown' : 'refused';
}

function toPlainText(text: string | undefined): string | undefined {
  return text
    ?.slice(0, MAX_TEXT_LENGTH)
    .replace(CONTROLS, (control) => `\\u{${(control.codePointAt(0) ?? 0).toString(16)}}`);
}
