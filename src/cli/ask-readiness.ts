// Readiness by the ops port: no certificate needed, so that a container's health check works as soon as the image does.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { Address } from '../config/address.js';
import { formatAddress } from '../config/address.js';
import { CliError } from './cli-error.js';

/** In the words of grpc.health.v1. Throws CliError when nobody answers in time, or somebody else does. */
export async function askReadiness(address: Address, timeoutMs: number): Promise<'SERVING' | 'NOT_SERVING'> {
  const status = await getStatus(address, timeoutMs).catch(() => undefined);
  if (status === 200) return 'SERVING';
  if (status === 503) return 'NOT_SERVING';
  const where = formatAddress(address);
  if (status === undefined) {
    throw new CliError(1, `nobody answers at ${where}`, 'Is the daemon running, and is this its ops_listen?');
  }
  throw new CliError(1, `what answers at ${where} is no ops port of introspectd`);
}

async function getStatus({ host, port }: Address, timeoutMs: number): Promise<number | undefined> {
  const request = get({ host, port, path: '/readyz', agent: false, signal: AbortSignal.timeout(timeoutMs) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}
