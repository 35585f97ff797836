// Calls of a history test: the generated client, so that nothing is retried or cached between the test and the daemons.
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  IntrospectionServiceClient,
  type IntrospectResponse,
} from '@introspectd/client/gen/introspectd/v1/introspection_service';
import { createTestCredentials, type TestTls } from '../support/test-credentials.js';
import type { Answer } from './history.js';
import { describeToken } from './tokens.js';

/** A daemon that was killed is back within a second: a client that waits longer would not see how it starts. */
const OPTIONS = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 200,
};
/** What a fault may lead to. Any other status is a defect, and ends the process. */
const DOUBT: readonly number[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { readonly deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

export function connectTo(target: string, tls: TestTls): IntrospectionServiceClient {
  return new IntrospectionServiceClient(target, createTestCredentials(tls), OPTIONS);
}

/** Undefined when there was no answer. */
export function call<Request, Response>(
  method: Unary<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response | undefined> {
  return new Promise((resolve, reject) => {
    method(request, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) => {
      if (error === null) resolve(response);
      else if (DOUBT.includes(error.code)) resolve(undefined);
      else reject(error);
    });
  });
}

export function toAnswer(id: number, { active, claims }: IntrospectResponse): Answer {
  if (!active) return 'inactive';
  const { iss, sub, clientId, jti } = describeToken(id);
  const isRight = claims?.iss === iss && claims.sub === sub && claims.clientId === clientId && claims.jti === jti;
  return isRight ? 'active' : 'wrong';
}
