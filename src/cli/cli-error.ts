/** 0 done, 1 failed, 2 asked for in a way that cannot work. */
export type ExitCode = 0 | 1 | 2;

/** Ends the command. The message is for the user: what, where, what to do; up to three lines; never a token. */
export class CliError extends Error {
  readonly exitCode: Exclude<ExitCode, 0>;

  constructor(exitCode: Exclude<ExitCode, 0>, ...lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
