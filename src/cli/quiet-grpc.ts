import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/** grpc-js writes errors to stderr by itself, with texts of the other side in them; ours are told once, by us. */
export function quietGrpc(): void {
  const { GRPC_VERBOSITY } = process.env;
  if (GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
}
