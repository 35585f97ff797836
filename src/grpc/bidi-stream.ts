// grpc-js duplex stream -> one answer for each message, in order: the next is read when the answer before it has gone
// out, so a client that does not read is not read from either.
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { type CallDeps, decodeRequest, type Method } from './method.js';
import { nextMessage } from './next-message.js';
import { runStream } from './stream-call.js';

type BidiStream = handleBidiStreamingCall<Buffer, Buffer>;

export interface BidiMethod<Request> extends Method<Request> {
  /** Encoded. May throw, which ends the stream. */
  answer(request: Request): Buffer;
}

export type BidiStreamAdapter = <Request>(method: BidiMethod<Request>) => BidiStream;

export function createBidiStreamAdapter(deps: CallDeps): BidiStreamAdapter {
  return (method) => (call) => {
    void runStream(deps, call, {
      name: method.name,
      authorize: (caller) => method.authorize(caller),
      serve: async ({ signal, admit, send }) => {
        admit();
        for (;;) {
          const message = await nextMessage(call, signal);
          if (message === undefined) return;
          // Again: the policy may be another by now.
          admit();
          await send(method.answer(decodeRequest(method, message)));
        }
      },
    });
  };
}
