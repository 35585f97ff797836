// ImportTokens: chunks of entries, acknowledged when they are durable.
import { Metadata } from '@grpc/grpc-js';
import { type IntrospectionClient, IntrospectionError } from '@introspectd/client';
import { type ChunkProtocol, type ChunkStreamOptions, streamChunks } from '@introspectd/client/chunk-stream';
import {
  type ImportTokensRequest,
  type ImportTokensResponse,
  type RegisterResult,
  type TokenEntry,
  TokenRegistryServiceService,
} from '@introspectd/client/gen/introspectd/v1/token_registry_service';
import { fromItemStatus } from './call-method.js';

/** OK = registered; in a dry run: would be. */
export type ImportOutcome = IntrospectionError | 'OK';

export interface ImportChunkOptions extends ChunkStreamOptions {
  /** Check everything, register nothing. */
  readonly dryRun: boolean;
}

/** In the order of the chunks, one outcome for every entry. An entry that was sent twice is registered once. */
export function importChunks(
  client: IntrospectionClient,
  chunks: AsyncIterable<readonly TokenEntry[]>,
  options: ImportChunkOptions,
): AsyncGenerator<readonly ImportOutcome[]> {
  return streamChunks(createProtocol(client, options.dryRun), chunks, options);
}

function createProtocol(
  { raw }: IntrospectionClient,
  dryRun: boolean,
): ChunkProtocol<readonly TokenEntry[], ImportTokensRequest, ImportTokensResponse, ImportOutcome> {
  const { path, requestSerialize, responseDeserialize } = TokenRegistryServiceService.importTokens;
  return {
    open: () => {
      const stream = raw.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
      stream.write({ kind: { $case: 'start', value: { dryRun } } });
      return stream;
    },
    count: (entries) => entries.length,
    toRequest: (chunkId, entries) => ({ kind: { $case: 'chunk', value: { chunkId, entries: [...entries] } } }),
    read: ({ chunkId, error, results }) => ({
      chunkId,
      outcomes: error === undefined ? results.map(toOutcome) : fromItemStatus(error),
    }),
  };
}

function toOutcome({ status }: RegisterResult): ImportOutcome {
  // A result without a status says nothing, and nothing is not OK.
  if (status === undefined) return new IntrospectionError('INTERNAL', 'a result without a status');
  return status.code === 0 ? 'OK' : fromItemStatus(status);
}
