// Started as a process: many watchers of a daemon, each on a connection of its own, and when each was told of what.
import { readFileSync } from 'node:fs';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { WatchRevocationsRequest, WatchRevocationsResponse } from '../src/gen/introspectd/v1/introspection_service.js';
import { answerParent } from './child.js';
import { PATHS } from './corpus.js';

export type WatchersQuestion =
  | {
      readonly kind: 'watch';
      readonly target: string;
      /** Paths of what the caller presents. */
      readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
      readonly watchers: number;
    }
  | { readonly kind: 'measure'; readonly sent: readonly SentRevocation[] };

export interface SentRevocation {
  /** As the watchers see it, hex. */
  readonly tag: string;
  /** Of the clock that all processes share, ns. */
  readonly sentNs: bigint;
}

export interface WatchersAnswer {
  /** From when each was sent until each watcher was told, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * What one watcher was told: when, and by which bytes it is known. The messages of the first alone are kept and decoded,
 * when nothing is measured; a process that kept and decoded those of all would be measured itself.
 */
interface Told {
  readonly atNs: Float64Array;
  readonly marks: Int32Array;
  count: number;
}

const told: Told[] = [];
const messages: Buffer[] = [];
const MAX_MESSAGES = 8192;
const BOUND_MS = 10_000;
/** Of the end of a message, where its revision is: no two messages have the same. */
const MARK_BYTES = 4;

answerParent<WatchersQuestion, WatchersAnswer>(async (question) => {
  if (question.kind === 'measure') return measure(question.sent);
  const { target, watchers, tls } = question;
  const [ca, key, cert] = [tls.caFile, tls.keyFile, tls.certFile].map((file) => readFileSync(file));
  if (ca === undefined || key === undefined || cert === undefined) throw new Error('a file is missing');
  await Promise.all(
    Array.from({ length: watchers }, () => {
      const options = { 'grpc.use_local_subchannel_pool': 1 };
      return watch(new Client(target, credentials.createSsl(ca, key, cert), options));
    }),
  );
  return { p50Ms: 0, p99Ms: 0 };
});

/** Resolves when the watch stands. */
function watch(client: Client): Promise<void> {
  const isFirst = told.length === 0;
  const mine: Told = { atNs: new Float64Array(MAX_MESSAGES), marks: new Int32Array(MAX_MESSAGES), count: 0 };
  told.push(mine);
  const asIs = (bytes: Buffer) => bytes;
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(PATHS.watch, asIs, asIs);
  call.write(
    Buffer.from(WatchRevocationsRequest.encode({ kind: { $case: 'start', value: { afterRevision: '' } } }).finish()),
  );
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.once('data', () => {
      call.on('data', (bytes: Buffer) => {
        mine.atNs[mine.count] = Number(process.hrtime.bigint());
        mine.marks[mine.count] = bytes.readInt32LE(bytes.length - MARK_BYTES);
        mine.count++;
        if (isFirst) messages.push(bytes);
      });
      resolve();
    });
  });
}

/** Waits until all were told of all of them, and forgets them. */
async function measure(sent: readonly SentRevocation[]): Promise<WatchersAnswer> {
  const endMs = performance.now() + BOUND_MS;
  const sentNs = new Map(sent.map((one) => [one.tag, Number(one.sentNs)]));
  const delaysMs: number[] = [];
  let next = 0;
  let known = 0;
  while (known < sent.length || told.some(({ count }) => count < next)) {
    if (performance.now() > endMs) throw new Error('a watcher was not told');
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (; next < messages.length; next++) known += decodeTags(messages[next]).length;
  }
  messages.forEach((message, index) => {
    for (const tag of decodeTags(message)) {
      const startedNs = sentNs.get(tag);
      if (startedNs === undefined) throw new Error('a watcher was told of what was not sent');
      for (const { atNs } of told) delaysMs.push(((atNs[index] ?? Number.NaN) - startedNs) / 1e6);
    }
  });
  requireAlike();
  messages.length = 0;
  for (const mine of told) mine.count = 0;
  delaysMs.sort((a, b) => a - b);
  const at = (part: number) => delaysMs[Math.min(delaysMs.length - 1, Math.floor(delaysMs.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

function decodeTags(message: Buffer | undefined): readonly string[] {
  const kind = message && WatchRevocationsResponse.decode(message).kind;
  if (kind?.$case !== 'events') throw new Error('a watcher was told something else');
  return kind.value.events.map(({ tag }) => tag.toString('hex'));
}

/** Throws unless all of them were told the same messages, in the same order. */
function requireAlike(): void {
  const [first] = told;
  for (const { count, marks } of told) {
    const isAlike = count === messages.length && marks.every((mark, at) => at >= count || mark === first?.marks[at]);
    if (!isAlike || count > MAX_MESSAGES) throw new Error('two watchers were told differently');
  }
}
