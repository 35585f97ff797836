// One unary call as a promise that never rejects, and what its status says in google.rpc terms.
import { type CallOptions, type ClientUnaryCall, status as Code, Metadata, type ServiceError } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';
import type {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
} from '../../src/gen/grpc/health/v1/health.js';
import type {
  BatchIntrospectRequest,
  BatchIntrospectResponse,
  IntrospectRequest,
  IntrospectResponse,
  RevokeRequest,
  RevokeResponse,
} from '../../src/gen/introspectd/v1/introspection_service.js';
import type {
  RegisterTokensRequest,
  RegisterTokensResponse,
} from '../../src/gen/introspectd/v1/token_registry_service.js';

export interface Answer<Response> {
  /** Name of the gRPC code. */
  readonly code: string;
  readonly response: Response | undefined;
  readonly error: ServiceError | undefined;
  readonly trailer: Metadata;
  readonly details: Details;
}

export interface Details {
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  /** Paths of the fields at fault. */
  readonly fields: readonly string[];
  readonly retryMs: number | undefined;
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface AskOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Gets the call, to cancel it. */
  readonly started?: (call: ClientUnaryCall) => void;
}

/** Requests and responses of the unary methods, by their name in the generated clients. */
interface Methods {
  introspect: [IntrospectRequest, IntrospectResponse];
  batchIntrospect: [BatchIntrospectRequest, BatchIntrospectResponse];
  revoke: [RevokeRequest, RevokeResponse];
  registerTokens: [RegisterTokensRequest, RegisterTokensResponse];
  check: [HealthCheckRequest, HealthCheckResponse];
  list: [HealthListRequest, HealthListResponse];
}

type Asking<Name extends keyof Methods> = {
  readonly [_ in Name]: UnaryMethod<Methods[Name][0], Methods[Name][1]>;
};

/** `ask(client.introspection, 'introspect', request)`. */
export function ask<Name extends keyof Methods>(
  client: Asking<Name>,
  name: Name,
  request: Methods[Name][0],
  { metadata = {}, timeoutMs = 10_000, started }: AskOptions = {},
): Promise<Answer<Methods[Name][1]>> {
  const headers = new Metadata();
  for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
  return new Promise((resolve) => {
    let answer: Omit<Answer<Methods[Name][1]>, 'trailer'> | undefined;
    const call = client[name](request, headers, { deadline: Date.now() + timeoutMs }, (error, response) => {
      const code = Code[error?.code ?? Code.OK] ?? 'none';
      answer = { code, response, error: error ?? undefined, details: readDetails(error?.metadata) };
      if (error) resolve({ ...answer, trailer: error.metadata });
    });
    call.on('status', ({ metadata: trailer }) => {
      // Comes after the callback.
      if (answer) resolve({ ...answer, trailer });
    });
    started?.(call);
  });
}

export function readDetails(metadata: Metadata | undefined): Details {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  const { details } = Status.decode(Buffer.from(bytes ?? ''));
  return toDetails(details);
}

export function toDetails(details: Status['details']): Details {
  const find = (name: string) => details.filter(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${name}`);
  const [info] = find('ErrorInfo').map(({ value }) => ErrorInfo.decode(value));
  const [retry] = find('RetryInfo').map(({ value }) => RetryInfo.decode(value).retryDelay);
  return {
    reason: info?.reason,
    domain: info?.domain,
    fields: find('BadRequest').flatMap(({ value }) => BadRequest.decode(value).fieldViolations.map((v) => v.field)),
    retryMs: retry && Number(retry.seconds) * 1000 + retry.nanos / 1e6,
  };
}
