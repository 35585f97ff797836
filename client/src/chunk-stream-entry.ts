// For tools that have their items in chunks: what client.stream is made of, over any rpc of chunks and their answers.
export type { ChunkAnswer, ChunkProtocol, ChunkStreamOptions } from './chunk-stream.js';
export { streamChunks } from './chunk-stream.js';
export { toOwnOutcome } from './introspector.js';
export { introspectChunks } from './stream-introspect.js';
