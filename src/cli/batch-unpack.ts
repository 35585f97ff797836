// gzip and zstd are known by their first bytes, whatever the file is called.
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { CliError } from './cli-error.js';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const MAGIC_BYTES = 4;
const CHUNK_BYTES = 256 * 1024;

type Decompressor = typeof zlib.createGunzip;

/** `name` is for error messages. Throws CliError for what is packed and damaged, or cannot be unpacked here. */
export async function* unpack(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const source = chunks[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await source.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => source };
  }
  const decompressor = findDecompressor(head, name);
  if (decompressor === undefined) yield* all();
  else yield* decompress(all(), decompressor({ chunkSize: CHUNK_BYTES }), name);
}

function findDecompressor(head: Buffer, name: string): Decompressor | undefined {
  if (head.subarray(0, GZIP.length).equals(GZIP)) return zlib.createGunzip;
  if (!head.subarray(0, ZSTD.length).equals(ZSTD)) return undefined;
  // Node 22.15 and newer.
  const zstd = (zlib as { readonly createZstdDecompress?: Decompressor }).createZstdDecompress;
  if (zstd !== undefined) return zstd;
  throw new CliError(
    2,
    `${name} is packed with zstd, which Node ${process.versions.node} cannot unpack`,
    'Unpack it first: zstd -dc FILE | introspectd ... --file -',
  );
}

async function* decompress(chunks: AsyncIterable<Buffer>, unpacking: ReturnType<Decompressor>, name: string) {
  const packed = Readable.from(chunks);
  // pipe() does not pass errors on.
  packed.once('error', (error) => unpacking.destroy(error));
  packed.pipe(unpacking);
  try {
    yield* unpacking as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(1, `${name} is cut off or damaged: it cannot be unpacked to its end`);
  } finally {
    packed.destroy();
  }
}
