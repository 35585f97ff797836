// Whom a site's rows are compared with, each a process of its own: the same service without TLS, and the peers.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AnswerBytes } from './answers.js';
import { startChild } from './child.js';
import type { EchoQuestion } from './echo-server.js';
import type { GetQuestion } from './peers/get-server.js';
import type { OidcQuestion } from './peers/oidc-server.js';
import type { PeerPorts } from './peers/peer-ports.js';
import type { PlaintextQuestion } from './plaintext-server.js';
import type { RedisServer } from './redis-server.js';
import { KEYS_FILE, type ReaderName, type Site } from './site.js';

export interface Servers {
  /** grpc-js with a handler that does nothing. */
  readonly echo: PeerPorts;
  /** The site's store and service without TLS, a port for each caller. */
  readonly plaintext: { readonly pid: number; readonly ports: Readonly<Record<ReaderName, number>> };
  readonly oidc: PeerPorts & { readonly clientId: string; readonly clientSecret: string };
  /** One GET a call; without a Redis there is none. */
  readonly get: PeerPorts | undefined;
  stop(): Promise<void>;
}

export interface ServersRequest {
  readonly site: Site;
  readonly answers: AnswerBytes;
  readonly redis: RedisServer | undefined;
}

export async function startServers({ site, answers, redis }: ServersRequest): Promise<Servers> {
  const { folder, configFile, policyFile } = site.workspace;
  const tls = site.workspace.tls('server');
  const stops: (() => Promise<void>)[] = [];

  async function start<Question extends object, Answer>(script: string, question: Question) {
    const child = startChild<Question, Answer>(script);
    stops.push(child.stop);
    return { pid: child.pid, ...(await child.ask(question)) };
  }

  const answerBytes = [...new Set([answers.whole, answers.batch])];
  const ports = await start<PlaintextQuestion, { readonly ports: readonly number[] }>('plaintext-server', {
    configFile,
    keysFile: join(folder, KEYS_FILE),
    policyFile,
    identities: ['spiffe://demo/whole', 'spiffe://demo/filtered', 'spiffe://demo/tagged'],
  });
  const [whole = 0, filtered = 0, tagged = 0] = ports.ports;
  const client = { clientId: 'orders', clientSecret: randomBytes(32).toString('base64url') };
  return {
    echo: await start<EchoQuestion, PeerPorts>('echo-server', { answerBytes, tls }),
    plaintext: { pid: ports.pid, ports: { whole, filtered, tagged } },
    oidc: { ...client, ...(await start<OidcQuestion, PeerPorts>('peers/oidc-server', { tls, ...client })) },
    get:
      redis &&
      (await start<GetQuestion, PeerPorts>('peers/get-server', { tls, redisPort: redis.port, answer: answers.sample })),
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}
