// A closed loop of pre-framed calls over node:http2 and mutual TLS, in a process of its own. It reads the trailers:
// only grpc-status 0 is a success. A grpc-js client would be full before the server is.
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import { answerParent } from './child.js';
import { createNumberedBody, type NextBody, type Numbering } from './numbered-body.js';

export type LoadQuestion =
  | { readonly kind: 'connect'; readonly target: LoadTarget; readonly call: LoadCall }
  | { readonly kind: 'run'; readonly windowMs: number; readonly calls: number };

export interface LoadTarget {
  readonly authority: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly connections: number;
  /** Of each connection. */
  readonly streams: number;
}

export interface LoadCall {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly frame: Uint8Array;
  readonly numbering: Numbering;
}

export interface LoadAnswer {
  readonly succeeded: number;
  readonly failed: number;
  readonly elapsedMs: number;
  /** Bytes of the last answer, framed. */
  readonly lastAnswer: Uint8Array;
}

const WINDOW_BYTES = 16 * 1024 * 1024;

let sessions: readonly ClientHttp2Session[] = [];
let streams = 0;
let path = '';
let nextBody: NextBody = () => Buffer.alloc(0);

answerParent(async (question: LoadQuestion): Promise<LoadAnswer | undefined> => {
  if (question.kind === 'run') return run(question.windowMs, question.calls);
  const { target, call } = question;
  ({ streams } = target);
  ({ path } = call);
  nextBody = createNumberedBody(Buffer.from(call.frame), call.numbering);
  sessions = await Promise.all(Array.from({ length: target.connections }, () => open(target)));
  return undefined;
});

async function open({ authority, tls }: LoadTarget): Promise<ClientHttp2Session> {
  const settings = { initialWindowSize: WINDOW_BYTES, enablePush: false };
  const session = connect(`https://${authority}`, { ...tls, settings });
  await once(session, 'connect');
  session.setLocalWindowSize(WINDOW_BYTES);
  return session;
}

/** Ends after windowMs, or after so many calls, when the last answer is there. */
function run(windowMs: number, calls: number): Promise<LoadAnswer> {
  const startedMs = performance.now();
  const tally = { begun: 0, open: 0, succeeded: 0, failed: 0 };
  let lastAnswer: Uint8Array = Buffer.alloc(0);
  return new Promise((resolve) => {
    const next = (session: ClientHttp2Session) => {
      if (tally.begun < calls && performance.now() - startedMs < windowMs) {
        tally.begun++;
        tally.open++;
        send(session, (isOk, answer) => {
          tally.open--;
          if (isOk) tally.succeeded++;
          else tally.failed++;
          lastAnswer = answer;
          next(session);
        });
      } else if (tally.open === 0) {
        const { succeeded, failed } = tally;
        resolve({ succeeded, failed, elapsedMs: performance.now() - startedMs, lastAnswer });
      }
    };
    for (const session of sessions) for (let index = 0; index < streams; index++) next(session);
  });
}

function send(session: ClientHttp2Session, done: (isOk: boolean, answer: Buffer) => void): void {
  const stream: ClientHttp2Stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const chunks: Buffer[] = [];
  let status: unknown;
  const readStatus = (headers: IncomingHttpHeaders) => {
    status = headers['grpc-status'] ?? status;
  };
  stream.on('response', readStatus);
  stream.on('trailers', readStatus);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined);
  stream.on('close', () => done(status === '0', chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
  stream.end(nextBody());
}
