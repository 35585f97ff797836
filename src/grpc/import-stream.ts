// ImportTokens: registration by the million, a slice at a time. A chunk is acknowledged once what its results say is
// durable. What concerns a chunk is told in its acknowledgement, and the stream goes on; what concerns the stream ends it.
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { IntrospectdError } from '../core/errors.js';
import { inSlices, type LowPriority, toPace } from '../core/low-priority.js';
import type { Caller } from '../core/policy.js';
import type { Register, RegisterItem, RegisterMany } from '../core/register.js';
import { ImportStart, ImportTokensResponse } from '../gen/introspectd/v1/token_registry_service.js';
import type { Audit } from '../telemetry/audit.js';
import { checkBatchSize } from './batch-size.js';
import type { ChunkAnswer, ChunkMethod, OpenedStream } from './chunk-stream.js';
import type { GrpcLimits } from './limits.js';
import { decodeRequest, needs } from './method.js';
import { decodeRegisterItem } from './register-items.js';
import { type Outcomes, toRegisterResults } from './register-results.js';
import { toCodeName, toRpcStatus } from './status.js';

export interface ImportStreamDeps {
  readonly register: Register;
  readonly lowPriority: LowPriority;
  readonly limits: Pick<GrpcLimits, 'registerItems' | 'tokenBytes' | 'claimsBytes'>;
  readonly audit: Audit;
}

// Of ImportTokensRequest, and of ImportChunk.
const START = 1;
const CHUNK = 2;
const CHUNK_ID = 1;
const ENTRIES = 2;

/** About half a millisecond to decode and check (measured). */
const SLICE_ENTRIES = 50;

type ImportMessage =
  | { readonly kind: 'start'; readonly dryRun: boolean }
  | ({ readonly kind: 'chunk' } & Chunk)
  | { readonly kind: 'nothing' };

interface Chunk {
  readonly id: number;
  /** TokenEntry each, still encoded: they are decoded a slice at a time. */
  readonly entries: readonly Uint8Array[];
}

const MESSAGE = { decode: decodeMessage };

export function createImportStreamMethod(deps: ImportStreamDeps): ChunkMethod {
  return {
    name: 'ImportTokens',
    authorize: needs('register'),
    open: (stream) => {
      let importing: Importing | undefined;
      return async (bytes, caller) => {
        const message = decodeRequest(MESSAGE, bytes);
        if (importing === undefined) {
          if (message.kind !== 'start') throw invalid('start', 'is required in the first message');
          importing = toImporting(deps, message.dryRun ? 'rehearse' : 'many');
          return undefined;
        }
        if (message.kind !== 'chunk') throw invalid('chunk', 'is required in every message after the first');
        return importing(message, caller, stream);
      };
    },
  };
}

type Importing = (chunk: Chunk, caller: Caller, stream: OpenedStream) => Promise<ChunkAnswer>;

function toImporting(deps: ImportStreamDeps, how: keyof Register): Importing {
  return async (chunk, caller, { requestId, signal }) => {
    const items: (RegisterItem | IntrospectdError)[] = [];
    const settle = (outcomes: Outcomes, error?: unknown): void => {
      // A dry run changes nothing.
      if (how === 'rehearse') return;
      deps.audit.write({
        action: 'register',
        caller: caller.name,
        requestId,
        code: signal.aborted ? 'CANCELLED' : toCodeName(error),
        details: {
          kind: 'token',
          iss: findOnlyIssuer(items, caller),
          count: chunk.entries.length,
          refused: error === undefined ? outcomes.filter((outcome) => outcome !== undefined).length : undefined,
        },
      });
    };
    try {
      const outcomes = await registerChunk(deps, chunk, { caller, signal, items, register: deps.register[how] });
      settle(outcomes);
      return toAcknowledgement(chunk, outcomes);
    } catch (error) {
      settle([], error);
      signal.throwIfAborted();
      if (!(error instanceof IntrospectdError)) throw error;
      return toAcknowledgement(chunk, [], error);
    }
  };
}

interface ChunkWork {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Gets the entries as they are parsed. */
  readonly items: (RegisterItem | IntrospectdError)[];
  readonly register: RegisterMany;
}

async function registerChunk(
  { lowPriority, limits }: ImportStreamDeps,
  { entries }: Chunk,
  { caller, signal, items, register }: ChunkWork,
): Promise<Outcomes> {
  const job = lowPriority.enter(caller.name);
  try {
    checkBatchSize(entries.length, limits.registerItems);
    const pace = toPace(job, signal);
    for await (const slice of inSlices(entries, SLICE_ENTRIES, pace)) {
      for (const bytes of slice) items.push(decodeRegisterItem(bytes, `chunk.entries[${items.length}]`, limits));
    }
    return await register(caller, items, pace);
  } finally {
    job.leave();
  }
}

function toAcknowledgement({ id: chunkId }: Chunk, outcomes: Outcomes, error?: IntrospectdError): ChunkAnswer {
  const status = error && toRpcStatus(error);
  const response = { chunkId, results: toRegisterResults(outcomes), error: status };
  const bytes = Buffer.from(ImportTokensResponse.encode(response).finish());
  return { bytes, count: outcomes.length, error };
}

/** One of the caller's own, where all entries agree: anything else is text that nobody vouches for. */
function findOnlyIssuer(items: readonly (RegisterItem | IntrospectdError)[], caller: Caller): string | undefined {
  const issuers = new Set(items.map((item) => (item instanceof IntrospectdError ? undefined : item.claims.iss)));
  const [iss] = issuers;
  return issuers.size === 1 && iss !== undefined && caller.issuers.has(iss) ? iss : undefined;
}

function decodeMessage(bytes: Uint8Array): ImportMessage {
  const reader = new BinaryReader(bytes);
  let message: ImportMessage = { kind: 'nothing' };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const isMessage = wireType === WireType.LengthDelimited;
    // The last one counts, as of every oneof.
    if (field === START && isMessage) message = { kind: 'start', dryRun: ImportStart.decode(reader.bytes()).dryRun };
    else if (field === CHUNK && isMessage) message = { kind: 'chunk', ...decodeChunk(reader.bytes()) };
    else reader.skip(wireType, field);
  }
  return message;
}

function decodeChunk(bytes: Uint8Array): Chunk {
  const reader = new BinaryReader(bytes);
  const entries: Uint8Array[] = [];
  let id = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === CHUNK_ID && wireType === WireType.Varint) id = reader.uint32();
    else if (field === ENTRIES && wireType === WireType.LengthDelimited) entries.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return { id, entries };
}

function invalid(field: string, description: string): IntrospectdError {
  return new IntrospectdError('REQUEST_INVALID', 'the request has faults', [{ field, description }]);
}
