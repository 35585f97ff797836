// What the options of introspectd revoke name. Mistakes end here, before anything is asked of a daemon.
import type { RevocationSelector } from '@introspectd/client';
import { CliError } from './cli-error.js';

export interface TargetOptions {
  readonly file?: string;
  readonly iss?: string;
  readonly jti?: string;
  readonly grantId?: string;
  readonly sid?: string;
  readonly clientId?: string;
  readonly sub?: string;
  readonly allTokens?: true;
  readonly issuedBefore?: Date;
}

export interface SelectedTarget {
  readonly selector: RevocationSelector;
  /** What a slip of the hand would be dear for; undefined = one token, grant or session. */
  readonly broad: BroadTarget | undefined;
}

export interface BroadTarget {
  /** Such as: all tokens of the user "alice" of https://login.example, issued until now */
  readonly what: string;
  /** What to type to confirm it. */
  readonly name: string;
}

const FLAGS = {
  jti: '--jti',
  grantId: '--grant-id',
  sid: '--sid',
  clientId: '--client-id',
  sub: '--sub',
  allTokens: '--all-tokens',
} as const;

type SelectorOption = keyof typeof FLAGS;

const ALL_FLAGS = Object.values(FLAGS).join(', ');

/** Undefined = a token, from the input. Throws CliError for what cannot be meant. */
export function findSelectedTarget(options: TargetOptions): SelectedTarget | undefined {
  const given = (Object.keys(FLAGS) as SelectorOption[]).filter((name) => options[name] !== undefined);
  const [first] = given;
  if (first === undefined) {
    checkTokenOptions(options);
    return undefined;
  }
  const flags = given.map((name) => FLAGS[name]).join(' and ');
  const { file, iss } = options;
  if (file !== undefined) throw new CliError(2, `either a token (--file) or ${flags}, not both; nothing was revoked`);
  if (given.length > 1 && flags !== `${FLAGS.clientId} and ${FLAGS.sub}`) {
    throw new CliError(2, `${flags} do not go together; nothing was revoked`, `Give one of ${ALL_FLAGS}.`);
  }
  if (iss === undefined) throw new CliError(2, `${flags}: of which issuer? Add --iss, such as https://login.example`);
  for (const name of ['iss', ...given] as const) {
    if (options[name] === '') throw new CliError(2, `${name === 'iss' ? '--iss' : FLAGS[name]} is empty`);
  }
  const broad = findBroad(options, iss);
  if (broad === undefined && options.issuedBefore !== undefined) {
    throw new CliError(2, `--issued-before does not go with ${flags}, which is revoked for good`);
  }
  return { selector: toSelector(options, iss), broad };
}

function checkTokenOptions({ iss, issuedBefore }: TargetOptions): void {
  if (iss !== undefined) {
    throw new CliError(2, '--iss alone revokes nothing', `Add what to revoke: ${ALL_FLAGS}.`);
  }
  if (issuedBefore !== undefined) {
    throw new CliError(2, '--issued-before is for --sub, --client-id and --all-tokens; a token is revoked for good');
  }
}

function toSelector(options: TargetOptions, iss: string): RevocationSelector {
  const { jti, grantId, sid, clientId, sub, allTokens } = options;
  return { iss, jti, grant_id: grantId, sid, client_id: clientId, sub, all_tokens: allTokens };
}

function findBroad({ clientId, sub, allTokens, issuedBefore }: TargetOptions, iss: string): BroadTarget | undefined {
  const name = allTokens ? iss : (sub ?? clientId);
  if (name === undefined) return undefined;
  const user = sub === undefined ? [] : [`the user ${JSON.stringify(sub)}`];
  const client = clientId === undefined ? [] : [`the client ${JSON.stringify(clientId)}`];
  const whose = [...user, ...client].join(' at ');
  const until = issuedBefore === undefined ? 'until now' : `before ${issuedBefore.toISOString()}`;
  return { what: `all tokens of ${whose === '' ? '' : `${whose} of `}${iss}, issued ${until}`, name };
}
