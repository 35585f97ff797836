// What the client library does not offer by name: methods of the other services, and the errors inside their answers.
import { Metadata } from '@grpc/grpc-js';
import { type IntrospectionClient, type IntrospectionError, toIntrospectionError } from '@introspectd/client';
import { Status } from '@introspectd/client/gen/google/rpc/status';

/** As the generated stubs describe a unary method. */
export interface MethodDescription<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Over the connection of the client. Rejects with IntrospectionError. */
export function callMethod<Request, Response>(
  client: IntrospectionClient,
  method: MethodDescription<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.raw.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, response) => {
        if (error) reject(toIntrospectionError(error));
        else if (response === undefined) reject(new Error('a unary call ended without a response'));
        else resolve(response);
      },
    );
  });
}

/** A status inside an answer reads like one that ended a call. */
export function fromItemStatus(status: Status): IntrospectionError {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(status).finish()));
  return toIntrospectionError({ code: status.code, details: status.message, metadata });
}
