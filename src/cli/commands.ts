// The commands: what each is for, and the file that knows its options. Only the one that is asked for is loaded.
import type { Command } from 'commander';
import type { ExitCode } from './cli-error.js';

/** Adds options, help and action. */
type SetUp = (command: Command, setExitCode: (code: ExitCode) => void) => void;

export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<SetUp>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    description: 'Run the daemon: gRPC with mutual TLS, and an HTTP port with /healthz and /readyz.',
    load: async () => (await import('./serve-command.js')).setUpServe,
  },
  {
    name: 'demo',
    description: 'Start a daemon in a temporary folder, use it as an issuer and services would, check the answers.',
    load: async () => (await import('./demo-command.js')).setUpDemo,
  },
  {
    name: 'introspect',
    description: 'Ask whether tokens are good now, and what your certificate may know about them (RFC 7662).',
    load: async () => (await import('./introspect-command.js')).setUpIntrospect,
  },
  {
    name: 'batch',
    description: 'Ask the same of millions of tokens in files, or revoke those that are active; can stop and go on.',
    load: async () => (await import('./batch-command.js')).setUpBatch,
  },
  {
    name: 'revoke',
    description:
      'Revoke a token, or all of a user, a client, a session: after exit code 0 no daemon says they are active.',
    load: async () => (await import('./revoke-command.js')).setUpRevoke,
  },
  {
    name: 'watch',
    description: 'Tell what is revoked, as it happens: one line of JSON for each; needs the permission "watch".',
    load: async () => (await import('./watch-command.js')).setUpWatch,
  },
  {
    name: 'register',
    description: 'Make tokens known, as their issuer; needs the permission "register".',
    load: async () => (await import('./register-command.js')).setUpRegister,
  },
  {
    name: 'import',
    description: 'Make millions of tokens known; can stop and go on.',
    load: async () => (await import('./import-command.js')).setUpImport,
  },
  {
    name: 'health',
    description: 'Ask whether the daemon is ready to answer (grpc.health.v1); exit code 0 when it is, else 1.',
    load: async () => (await import('./health-command.js')).setUpHealth,
  },
  {
    name: 'config',
    description: 'Show what the daemon would run with.',
    load: async () => (await import('./config-command.js')).setUpConfig,
  },
  {
    name: 'certs',
    description: 'Make certificates for development and tests; nothing is overwritten.',
    load: async () => (await import('./certs-command.js')).setUpCerts,
  },
  {
    name: 'store',
    description: 'Look at the token store, or change its max_token_ttl or lease.',
    load: async () => (await import('./store-command.js')).setUpStore,
  },
];
