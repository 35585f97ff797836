// A failed call, told to the person who made it: what the daemon said, and what to do next.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IntrospectionError } from '@introspectd/client';
import { CliError } from './cli-error.js';

export interface CallFacts {
  readonly target: string;
  readonly certFile: string;
}

/** Options of the client library -> options of this command. */
const OPTION_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\btls\.ca(File)?\b/g, '--ca-file'],
  [/\btls\.cert(File)?\b/g, '--cert-file'],
  [/\btls\.key(File)?\b/g, '--key-file'],
  [/\btls\.serverName\b/g, '--server-name'],
  [/^target\b/g, '--target'],
];

export function explainCallError(error: IntrospectionError, facts: CallFacts): CliError {
  const message = OPTION_NAMES.reduce((text, [pattern, name]) => text.replace(pattern, name), error.message);
  const isOurOption = error.code === 'INVALID_ARGUMENT' && message !== error.message;
  if (isOurOption) return new CliError(2, message);
  const violations = error.violations.map(({ field, description }) => `  ${field}: ${description}`);
  const reason = error.reason === undefined ? '' : ` (${error.reason})`;
  return new CliError(1, `${error.code}${reason}: ${message}`, ...violations, ...adviseOn(error, message, facts));
}

function adviseOn({ code, reason }: IntrospectionError, message: string, facts: CallFacts): string[] {
  switch (code) {
    case 'UNAVAILABLE':
      if (reason !== undefined) return ['The daemon is there and cannot answer now: retry, and look at its log.'];
      if (/certificate|TLS/.test(message))
        return [`Your certificate is ${facts.certFile}: ${describe(facts.certFile)}`];
      return [`Is the daemon running at ${facts.target}? Start it with introspectd serve, or give another --target.`];
    case 'UNAUTHENTICATED':
      return [
        `Your certificate is ${facts.certFile}: ${describe(facts.certFile)}`,
        'It must name its caller by exactly one SPIFFE id (URI SAN), or by a DNS SAN.',
      ];
    case 'PERMISSION_DENIED':
      return [
        `Your certificate says ${describe(facts.certFile)}`,
        reason === 'CALLER_UNKNOWN'
          ? "Add that to the identities of a caller in the daemon's policy file."
          : "What a caller may do stands in the daemon's policy file, under its name.",
      ];
    case 'DEADLINE_EXCEEDED':
      return [`No answer from ${facts.target} in time: give more with --timeout, or look at the daemon's log.`];
    case 'UNIMPLEMENTED':
      return ['The daemon does not serve this; is it of another version?'];
    default:
      return [];
  }
}

/** What the daemon sees of a certificate. Not its job to fail: the call already did. */
function describe(certFile: string): string {
  try {
    const { subjectAltName, validTo } = new X509Certificate(readFileSync(certFile));
    return `${subjectAltName ?? 'no SAN'}, valid until ${validTo}`;
  } catch {
    return 'unreadable';
  }
}
