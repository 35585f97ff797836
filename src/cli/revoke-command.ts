// introspectd revoke: from now on nobody is told that this token is active, or that all tokens of something are.
import type { Command } from 'commander';
import { CliError } from './cli-error.js';
import { confirm } from './confirm.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { parseIssuedBeforeOption } from './issued-before.js';
import { outputOption } from './parse-option.js';
import { addInputOptions, readInput } from './read-input.js';
import { findSelectedTarget, type SelectedTarget, type TargetOptions } from './revoke-target.js';
import { formatRows, type OutputFormat, printData } from './terminal.js';

interface RevokeOptions extends ConnectionOptions, TargetOptions {
  readonly reason?: string;
  readonly waitForCaches?: true;
  readonly yes?: true;
  readonly output: OutputFormat;
}

export function setUpRevoke(command: Command): void {
  addInputOptions(command, 'the token')
    .option('--iss <issuer>', 'in place of a token, all tokens of something of this issuer: one of the next options')
    .option('--jti <jti>', 'the token with this identifier')
    .option('--grant-id <id>', 'all tokens of a grant')
    .option('--sid <sid>', 'all tokens of a login session')
    .option('--sub <sub>', 'all tokens of a user; with --client-id, of that user at that client')
    .option('--client-id <id>', 'all tokens of a client')
    .option('--all-tokens', 'all tokens of the issuer')
    .option(
      '--issued-before <when>',
      'for --sub, --client-id and --all-tokens: only tokens issued before then, such as 2027-01-01T00:00:00Z, or longer ago than this, such as 10m',
      parseIssuedBeforeOption,
    )
    .option(
      '--wait-for-caches',
      'end only when no cache of any client can say "active" any more; adds up to 30s to --timeout',
    )
    .option('--yes', 'do not ask before all tokens of a user, a client or an issuer are revoked');
  addConnectionOptions(command)
    .option('--reason <text>', "for the daemon's audit log, 256 bytes at most; never the token")
    .addOption(outputOption('how the result is written').default('json'))
    .addHelpText('after', EXAMPLES)
    .action(async (_, options: RevokeOptions) => revoke(options));
}

const EXAMPLES = `
Unknown and already revoked tokens end with 0 alike.
Exit code 1: it may have taken place or not; repeat it, that does no harm. 2: nothing was revoked.

  echo "$TOKEN" | introspectd revoke --as certs/issuer --reason "lost laptop"
  introspectd revoke --as certs/security --iss https://login.example --sub alice --reason "taken over"
  introspectd revoke --as certs/security --iss https://login.example --sub alice --client-id phone-app
  introspectd revoke --as certs/security --iss https://login.example --sid 08a5019c --wait-for-caches
  introspectd revoke --as certs/security --iss https://login.example --all-tokens \\
    --issued-before 2027-01-01T00:00:00Z --yes`;

async function revoke(options: RevokeOptions): Promise<void> {
  const selected = findSelectedTarget(options);
  if (selected !== undefined) await confirmBroad(selected, options);
  const target = selected?.selector ?? (await readOneToken(options.file));
  const { reason, issuedBefore, waitForCaches } = options;
  const call = { reason, issuedBefore, waitForCaches };
  const { revision } = await withConnection(options, ({ client }) => client.revoke(target, call));
  await printData(formatRows([{ revoked: true, revision }], options.output));
}

async function confirmBroad({ broad }: SelectedTarget, { yes }: RevokeOptions): Promise<void> {
  if (broad === undefined || yes) return;
  await confirm({ warning: `This revokes ${broad.what}. It cannot be taken back.`, name: broad.name });
}

async function readOneToken(file: string | undefined): Promise<string> {
  const tokens: string[] = [];
  for await (const { text } of readInput(file, 'the token')) {
    if (text === undefined) throw new CliError(2, 'that is no token: too long, or not text');
    if (tokens.push(text) > 1) throw new CliError(2, 'more than one line; revoke takes one token, nothing was revoked');
  }
  const [token] = tokens;
  if (token === undefined) throw new CliError(2, 'no token: the input is empty');
  return token;
}
