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
    return { pid: child.pid, answer: await child.ask(question) };
  }

  async function startPeer<Question extends object>(script: string, question: Question): Promise<PeerPorts> {
    return (await start<Question, PeerPorts>(script, question)).answer;
  }

  const sizes = Object.values<unknown>({ ...answers }).filter((size) => typeof size === 'number');
  const plaintext = await start<PlaintextQuestion, readonly number[]>('plaintext-server', {
    configFile,
    keysFile: join(folder, KEYS_FILE),
    policyFile,
    identities: ['spiffe://demo/whole', 'spiffe://demo/filtered'],
  });
  const [whole = 0, filtered = 0] = plaintext.answer;
  const client = { clientId: 'orders', clientSecret: randomBytes(32).toString('base64url') };
  return {
    echo: await startPeer<EchoQuestion>('echo-server', { answerBytes: [...new Set(sizes)], tls }),
    plaintext: { pid: plaintext.pid, ports: { whole, filtered } },
    oidc: { ...client, ...(await startPeer<OidcQuestion>('peers/oidc-server', { tls, ...client })) },
    get:
      redis &&
      (await startPeer<GetQuestion>('peers/get-server', { tls, redisPort: redis.port, answer: answers.samples.whole })),
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}
