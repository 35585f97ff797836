// The commands, their help, and how what they throw becomes an exit code.
import { Command, CommanderError } from 'commander';
import { FaultsError } from '../config/faults.js';
import { CliError, type ExitCode } from './cli-error.js';
import { COMMANDS } from './commands.js';
import { packageVersion } from './package-version.js';
import { exitOnClosedPipe, printNote } from './terminal.js';
import { tuneCollector } from './tune-collector.js';

const HELP_COLUMNS = 100;

const EXAMPLES = `
Data goes to stdout, everything else to stderr.
Exit codes: 0 done, 1 failed, 2 asked for in a way that cannot work.

Examples:
  introspectd certs dev --out certs > introspectd.yaml      certificates and a configuration
  introspectd serve --config introspectd.yaml               the daemon; policy.yaml says who may do what
  introspectd register --as certs/issuer --file new.ndjson  make tokens known
  echo "$TOKEN" | introspectd introspect --as certs/orders  is it good now?
  echo "$TOKEN" | introspectd revoke --as certs/issuer      and now nobody is told that it is`;

/** `argv` without node and script. Never rejects. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  exitOnClosedPipe();
  tuneCollector();
  let exitCode: ExitCode = 0;
  const setExitCode = (code: ExitCode): void => {
    exitCode = code;
  };
  try {
    const program = await createProgram(argv, setExitCode);
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

async function createProgram(argv: readonly string[], setExitCode: (code: ExitCode) => void): Promise<Command> {
  const program = new Command('introspectd')
    .description('Is this token good right now, and what may this caller know about it? gRPC and mutual TLS.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', EXAMPLES)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({
      outputError: () => undefined,
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    })
    .helpCommand('help [command]', 'print help')
    .exitOverride();
  const asked = argv[0] === 'help' ? argv[1] : argv[0];
  for (const { name, description, load } of COMMANDS) {
    const command = program.command(name).description(description);
    if (name === asked) (await load())(command, setExitCode);
  }
  return program;
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return reportUsage(error);
  if (error instanceof CliError) {
    printNote(`introspectd: ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof FaultsError) {
    printNote(`introspectd: ${error.message}`);
    return 2;
  }
  printNote(`introspectd: ${describeCrash(error)}`);
  return 1;
}

/** Help and version end this way too. What was typed may be a token: of that only the names of options are repeated. */
function reportUsage({ code, exitCode, message }: CommanderError): ExitCode {
  if (exitCode === 0) return 0;
  if (code === 'commander.help') return 2;
  const text = message
    .replace(/^error: /, '')
    .replaceAll(/'(-[^'=]*)=[^']*'/g, "'$1'")
    .replaceAll(/ '[^-'][^']*'/g, '');
  printNote(`introspectd: ${text}`);
  printNote('See introspectd --help, or introspectd COMMAND --help.');
  return 2;
}

/** The message may quote anything; the name, the code and the place may not. */
function describeCrash(error: unknown): string {
  if (!(error instanceof Error)) return 'unexpected fault';
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [`unexpected fault (${error.name}${code}); please report it with these lines`, ...frames].join('\n');
}
