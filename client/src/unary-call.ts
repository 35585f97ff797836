// Callback world meets promise world: one call, its deadline, its signal.
import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { IntrospectionError } from './introspection-error.js';
import { toIntrospectionError } from './status-error.js';

/** A unary method of a generated client, bound to it. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** What bounds a call. */
export interface CallBounds {
  /** On the clock of `performance.now()`: a wall clock that is set makes no call longer or shorter. */
  readonly endMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Rejects with IntrospectionError and nothing else. */
export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  { endMs, signal }: CallBounds,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(signal));
      return;
    }
    let call: ClientUnaryCall | undefined;
    const onAbort = () => {
      reject(aborted(signal));
      call?.cancel();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const deadline = Date.now() + endMs - performance.now();
    try {
      call = method(request, new Metadata(), { deadline }, (error, response) => {
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(toIntrospectionError(error));
        else resolve(response);
      });
    } catch (cause) {
      signal?.removeEventListener('abort', onAbort);
      // grpc-js throws when `raw` was closed by somebody else.
      reject(new IntrospectionError('INTERNAL', 'the call could not be made', { cause }));
    }
  });
}

export function aborted(signal: AbortSignal | undefined): IntrospectionError {
  return new IntrospectionError('CANCELLED', 'the call was aborted by its signal', { cause: signal?.reason });
}

export function deadlineExceeded(): IntrospectionError {
  return new IntrospectionError('DEADLINE_EXCEEDED', 'no answer within timeoutMs');
}
