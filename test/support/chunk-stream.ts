// A client of a stream of chunks that keeps what it is told, message by message.
import assert from 'node:assert/strict';
import { status as Code, type ServiceError } from '@grpc/grpc-js';
import {
  IntrospectionServiceClient,
  type StreamIntrospectRequest,
  type StreamIntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import {
  type ImportTokensRequest,
  type ImportTokensResponse,
  TokenRegistryServiceClient,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { readDetails } from '../grpc/ask.js';
import { createTestCredentials, type TestTls } from './test-credentials.js';

export interface StreamEnd {
  /** Name of the gRPC code. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

export interface TestChunkStream<Request, Response> {
  send(request: Request): void;
  /** The next message that was not taken; fails after ten seconds, and when the stream ends first. */
  next(): Promise<Response>;
  readonly messages: readonly Response[];
  halfClose(): void;
  /** Reads no more until resume(). */
  pause(): void;
  resume(): void;
  cancel(): void;
  readonly ended: Promise<StreamEnd>;
  close(): void;
}

interface Connection {
  readonly target: string;
  readonly tls: TestTls;
}

const BOUND_MS = 10_000;
const END_BOUND_MS = 40_000;
const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 };

export function openIntrospectStream({
  target,
  tls,
}: Connection): TestChunkStream<StreamIntrospectRequest, StreamIntrospectResponse> {
  const client = new IntrospectionServiceClient(target, createTestCredentials(tls), OWN_CONNECTION);
  return keep(client.streamIntrospect(), client);
}

export function openImport({ target, tls }: Connection): TestChunkStream<ImportTokensRequest, ImportTokensResponse> {
  const client = new TokenRegistryServiceClient(target, createTestCredentials(tls), OWN_CONNECTION);
  return keep(client.importTokens(), client);
}

/** A chunk of these tokens. */
export function toChunk(chunkId: number, tokens: readonly string[]): StreamIntrospectRequest {
  const items = tokens.map((token) => ({ token, tokenTypeHint: '' }));
  return { chunkId, batch: { items, audiences: [], includeTags: false } };
}

function keep<Request, Response>(
  call:
    | ReturnType<IntrospectionServiceClient['streamIntrospect']>
    | ReturnType<TokenRegistryServiceClient['importTokens']>,
  client: { close(): void },
): TestChunkStream<Request, Response> {
  const messages: Response[] = [];
  let taken = 0;
  let end: StreamEnd | undefined;
  let arrived = () => {};
  call.on('data', (message: Response) => {
    messages.push(message);
    arrived();
  });
  const ended = new Promise<StreamEnd>((resolve) => {
    const settle = (how: StreamEnd) => {
      end = how;
      resolve(how);
      arrived();
    };
    call.on('error', (error: ServiceError) => {
      const { reason, fields } = readDetails(error.metadata);
      settle({ code: Code[error.code] ?? 'none', reason, fields });
    });
    call.on('end', () => settle({ code: 'OK', reason: undefined, fields: [] }));
    const late = { code: `no end within ${END_BOUND_MS} ms`, reason: undefined, fields: [] };
    setTimeout(() => settle(end ?? late), END_BOUND_MS).unref();
  });
  return {
    send: (request) => void (call as unknown as { write(request: Request): boolean }).write(request),
    next: async () => {
      const endMs = performance.now() + BOUND_MS;
      for (;;) {
        const message = messages[taken];
        if (message !== undefined) {
          taken += 1;
          return message;
        }
        assert.equal(end, undefined, 'the stream goes on');
        assert.ok(performance.now() < endMs, `a message within ${BOUND_MS} ms`);
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          arrived = resolve;
          timer = setTimeout(resolve, 100);
        });
        clearTimeout(timer);
      }
    },
    messages,
    halfClose: () => call.end(),
    pause: () => void call.pause(),
    resume: () => void call.resume(),
    cancel: () => call.cancel(),
    ended,
    close: () => {
      call.cancel();
      client.close();
    },
  };
}
