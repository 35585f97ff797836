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

/** Decoded when nothing is measured. */
interface Told {
  readonly bytes: Buffer;
  readonly atNs: bigint;
}

const told: Told[][] = [];
const BOUND_MS = 10_000;

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
  const mine: Told[] = [];
  told.push(mine);
  const asIs = (bytes: Buffer) => bytes;
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(PATHS.watch, asIs, asIs);
  call.write(
    Buffer.from(WatchRevocationsRequest.encode({ kind: { $case: 'start', value: { afterRevision: '' } } }).finish()),
  );
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.once('data', () => {
      call.on('data', (bytes: Buffer) => mine.push({ bytes, atNs: process.hrtime.bigint() }));
      resolve();
    });
  });
}

/** Waits until all were told of all of them, and forgets them. */
async function measure(sent: readonly SentRevocation[]): Promise<WatchersAnswer> {
  const endMs = performance.now() + BOUND_MS;
  const sentNs = new Map(sent.map((one) => [one.tag, one.sentNs]));
  const delaysMs: number[] = [];
  while (delaysMs.length < sent.length * told.length) {
    if (performance.now() > endMs) throw new Error('a watcher was not told');
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { bytes, atNs } of told.flatMap((mine) => mine.splice(0))) {
      const { kind } = WatchRevocationsResponse.decode(bytes);
      if (kind?.$case !== 'events') throw new Error('a watcher was told something else');
      for (const { tag } of kind.value.events) {
        delaysMs.push(Number(atNs - (sentNs.get(tag.toString('hex')) ?? atNs)) / 1e6);
      }
    }
  }
  delaysMs.sort((a, b) => a - b);
  const at = (part: number) => delaysMs[Math.min(delaysMs.length - 1, Math.floor(delaysMs.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
