// The operators' HTTP port: is the process alive, and can it answer? No tokens, no callers, no certificates here.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './readiness.js';

export interface OpsServerDeps {
  readonly readiness: Readiness;
  /** Text for Prometheus. */
  readonly scrape: () => Promise<string>;
}

export interface OpsServer {
  /** Port 0 = any free one. Rejects when it cannot be bound. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

const LIMITS = {
  maxHeaderSize: 4096,
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
} as const;
const MAX_CONNECTIONS = 64;

export function createOpsServer(deps: OpsServerDeps): OpsServer {
  const server = createServer(LIMITS, (request, response) => answer(request, response, deps));
  server.maxConnections = MAX_CONNECTIONS;
  return {
    listen: (address) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ ...address }, () => {
          server.off('error', reject);
          resolve({ port: (server.address() as AddressInfo).port });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, { readiness, scrape }: OpsServerDeps): void {
  const state = readiness.state();
  if (request.method === 'GET' && request.url === '/healthz') send(response, 200, 'alive');
  else if (request.method === 'GET' && request.url === '/readyz') send(response, state === 'ready' ? 200 : 503, state);
  else if (request.method === 'GET' && request.url === '/metrics') void answerScrape(response, scrape);
  else send(response, 404, 'not found');
}

async function answerScrape(response: ServerResponse, scrape: () => Promise<string>): Promise<void> {
  try {
    const text = await scrape();
    // The version of the text format: Prometheus 3 refuses to guess it.
    response.writeHead(200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.end(text);
  } catch {
    send(response, 500, 'metrics cannot be read');
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}
