// grpc-js writable stream -> async iterable: nothing is asked of the handler while the client does not read.
import type { handleServerStreamingCall } from '@grpc/grpc-js';
import { type CallDeps, decodeRequest, type ServerStreamMethod } from './method.js';
import { runStream } from './stream-call.js';

type ServerStream = handleServerStreamingCall<Buffer, Buffer>;

export type ServerStreamAdapter = <Request>(method: ServerStreamMethod<Request>) => ServerStream;

export function createServerStreamAdapter(deps: CallDeps): ServerStreamAdapter {
  return (method) => (call) => {
    void runStream(deps, call, {
      name: method.name,
      authorize: (caller) => method.authorize(caller),
      serve: async ({ requestId, signal, admit, send }) => {
        const caller = admit();
        const request = decodeRequest(method, call.request);
        for await (const message of method.handle({ caller, request, requestId, signal })) {
          if (signal.aborted) return;
          await send(message);
        }
      },
    });
  };
}
