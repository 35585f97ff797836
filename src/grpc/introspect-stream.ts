// StreamIntrospect: batches by the million, a slice at a time. What concerns a chunk is told in its answer, and the
// stream goes on; what concerns the stream ends it.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { IntrospectdError } from '../core/errors.js';
import type { Introspect } from '../core/introspect.js';
import { type LowPriority, toPace } from '../core/low-priority.js';
import type { Caller } from '../core/policy.js';
import { Status } from '../gen/google/rpc/status.js';
import { type BatchLimits, parseBatch } from './batch-request.js';
import type { ChunkAnswer, ChunkMethod } from './chunk-stream.js';
import { decodeBatchIntrospectRequest } from './introspect-requests.js';
import { decodeRequest, needs } from './method.js';
import type { AnswerEncoder } from './response-encoding.js';
import { toRpcStatus } from './status.js';

export interface IntrospectStreamDeps {
  readonly introspect: Introspect;
  readonly lowPriority: LowPriority;
  readonly limits: BatchLimits;
  readonly answers: AnswerEncoder;
}

// Of StreamIntrospectRequest and StreamIntrospectResponse.
const CHUNK_ID = 1;
const BATCH = 2;
const ERROR = 3;

interface Chunk {
  readonly id: number;
  /** BatchIntrospectRequest. */
  readonly batch: Uint8Array;
}

const CHUNK = { decode: decodeChunk };
const REQUEST = { decode: decodeBatchIntrospectRequest };

export function createIntrospectStreamMethod(deps: IntrospectStreamDeps): ChunkMethod {
  return {
    name: 'StreamIntrospect',
    authorize: needs('stream'),
    open:
      ({ signal }) =>
      async (message, caller) => {
        const chunk = decodeRequest(CHUNK, message);
        try {
          const { bytes, count } = await answerBatch(deps, chunk.batch, { caller, signal });
          return toAnswer(chunk, { field: BATCH, bytes, count, error: undefined });
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof IntrospectdError)) throw error;
          return toAnswer(chunk, { field: ERROR, bytes: Status.encode(toRpcStatus(error)).finish(), count: 0, error });
        }
      },
  };
}

async function answerBatch(
  { introspect, lowPriority, limits, answers }: IntrospectStreamDeps,
  batch: Uint8Array,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
): Promise<{ readonly bytes: Uint8Array; readonly count: number }> {
  const job = lowPriority.enter(caller.name);
  try {
    const pace = toPace(job, signal);
    await pace.turn();
    const request = decodeRequest(REQUEST, batch);
    const { includeTags } = request;
    const { audiences, items } = parseBatch(request, limits);
    const outcomes = await introspect.many({ caller, audiences, includeTags }, items, pace);
    await pace.turn();
    return { bytes: answers.many(outcomes, caller), count: items.length };
  } finally {
    job.leave();
  }
}

/** A batch that is not there is an empty one. */
function decodeChunk(message: Uint8Array): Chunk {
  const reader = new BinaryReader(message);
  let id = 0;
  let batch: Uint8Array = new Uint8Array(0);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === CHUNK_ID && wireType === WireType.Varint) id = reader.uint32();
    else if (field === BATCH && wireType === WireType.LengthDelimited) batch = reader.bytes();
    else reader.skip(wireType, field);
  }
  return { id, batch };
}

function toAnswer(
  { id }: Chunk,
  { field, bytes, count, error }: Omit<ChunkAnswer, 'bytes'> & { readonly field: number; readonly bytes: Uint8Array },
): ChunkAnswer {
  const writer = new BinaryWriter();
  if (id !== 0) writer.tag(CHUNK_ID, WireType.Varint).uint32(id);
  const encoded = writer.tag(field, WireType.LengthDelimited).bytes(bytes).finish();
  return { bytes: Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength), count, error };
}
