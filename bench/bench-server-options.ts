import type { ServerOptions } from '@grpc/grpc-js';

/** Of both sides of a ratio over plaintext; what costs time in it is as in src/grpc/server.ts. */
export const BENCH_SERVER_OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc-node.max_session_memory': 32,
  'grpc.max_concurrent_streams': 250,
  'grpc.enable_channelz': 0,
};
