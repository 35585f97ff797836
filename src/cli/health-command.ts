// introspectd health: is the daemon there, and ready to answer? Exit code 0 or 1, for container health checks.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '@introspectd/client/gen/grpc/health/v1/health';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Address, parseAddress } from '../config/address.js';
import { askReadiness } from './ask-readiness.js';
import { callMethod } from './call-method.js';
import { CliError } from './cli-error.js';
import { addConnectionOptions, type ConnectionOptions, withConnection } from './connection.js';
import { durationOption } from './parse-option.js';
import { printData } from './terminal.js';

const RETRY_AFTER_MS = 100;

interface HealthOptions extends ConnectionOptions {
  readonly service?: string;
  readonly opsTarget?: Address;
  /** Milliseconds. */
  readonly wait?: number;
}

export function setUpHealth(command: Command): void {
  addConnectionOptions(command)
    .option('--service <name>', 'full name of a gRPC service; the daemon as a whole when not given')
    .addOption(opsTargetOption())
    .addOption(durationOption('--wait', 'keep asking until it is ready, for so long, such as 10s'))
    .addHelpText('after', EXAMPLES)
    .action(async (options: HealthOptions) => health(options));
}

const EXAMPLES = `
  introspectd health --as certs/orders --wait 10s
  introspectd health --ops-target 127.0.0.1:9464 --timeout 2s`;

/** What belongs to the gRPC port has no meaning beside it. */
const GRPC_OPTIONS = ['target', 'service', 'as', 'caFile', 'certFile', 'keyFile', 'serverName'];

function opsTargetOption(): Option {
  return new Option('--ops-target <host:port>', 'ask the ops port (ops_listen) instead; needs no certificate')
    .argParser((text) => {
      const address = parseAddress(text);
      if (address === undefined) throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:9464.');
      return address;
    })
    .conflicts(GRPC_OPTIONS);
}

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
  if (options.opsTarget !== undefined) return askReadiness(options.opsTarget, options.timeout);
  const { status } = await withConnection(options, ({ client, timeoutMs }) =>
    callMethod(client, HealthService.check, { service: options.service ?? '' }, timeoutMs),
  );
  return Object.entries(ServingStatus).find(([, value]) => value === status)?.[0] ?? 'UNKNOWN';
}
