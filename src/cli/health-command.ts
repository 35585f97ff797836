// introspectd health: is the daemon there, and ready to answer? Exit code 0 or 1, for container health checks.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '@introspectd/client/gen/grpc/health/v1/health';
import type { Command } from 'commander';
import { callMethod } from './call-method.js';
import { CliError } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { durationOption } from './parse-option.js';
import { printData } from './terminal.js';

const RETRY_AFTER_MS = 100;

interface HealthOptions extends ConnectionOptions {
  readonly service?: string;
  /** Milliseconds. */
  readonly wait?: number;
}

export function setUpHealth(command: Command): void {
  addConnectionOptions(command)
    .option('--service <name>', 'full name of a gRPC service; the daemon as a whole when not given')
    .addOption(durationOption('--wait', 'keep asking until it is ready, for so long, such as 10s'))
    .addHelpText('after', EXAMPLES)
    .action(async (options: HealthOptions) => health(options));
}

const EXAMPLES = `
  introspectd health --as certs/orders --wait 10s
  HEALTHCHECK CMD ["introspectd", "health", "--as", "/certs/health", "--timeout", "2s"]`;

async function health(options: HealthOptions): Promise<void> {
  const endMs = Date.now() + (options.wait ?? 0);
  for (;;) {
    const isLast = Date.now() + RETRY_AFTER_MS > endMs;
    const status = await ask(options).catch((error: unknown) => {
      // What cannot work the next time either is told at once.
      if (isLast || !(error instanceof CliError) || error.exitCode === 2) throw error;
    });
    if (status === 'SERVING' || (status !== undefined && isLast)) {
      await printData(status);
      if (status === 'SERVING') return;
      throw new CliError(1, 'the daemon is there and not ready; its log says why');
    }
    await sleep(RETRY_AFTER_MS);
  }
}

async function ask(options: HealthOptions): Promise<string> {
  const { status } = await withConnection(options, ({ client, timeoutMs }) =>
    callMethod(client, HealthService.check, { service: options.service ?? '' }, timeoutMs),
  );
  return Object.entries(ServingStatus).find(([, value]) => value === status)?.[0] ?? 'UNKNOWN';
}
