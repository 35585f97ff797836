// What Redis itself gives a Node process: MGET of 1,000 records at a time, with nothing around it.
import { Redis } from 'ioredis';
import { answerParent } from './child.js';
import { formatNumber } from './numbered-body.js';

export type MgetQuestion =
  | { readonly kind: 'fill'; readonly port: number; readonly keys: number; readonly recordBytes: number }
  | { readonly kind: 'run'; readonly windowMs: number };

const KEYS_PER_CALL = 1000;
const CALLS_IN_FLIGHT = 4;
/** A digest in base64url has 22 characters. */
const KEY_PREFIX = 'bench:{p00}:t:digest-abcde';

let redis: Redis | undefined;
let keyLists: readonly (readonly string[])[] = [];

answerParent(async (question: MgetQuestion): Promise<number> => {
  if (question.kind === 'run') return run(question.windowMs);
  const { port, keys, recordBytes } = question;
  redis = new Redis({ port, host: '127.0.0.1' });
  const names = Array.from({ length: keys }, (_, index) => KEY_PREFIX + formatNumber(index));
  keyLists = Array.from({ length: keys / KEYS_PER_CALL }, (_, index) =>
    names.slice(index * KEYS_PER_CALL, (index + 1) * KEYS_PER_CALL),
  );
  const record = Buffer.alloc(recordBytes, 'x');
  for (const list of keyLists) await redis.mset(...list.flatMap((key) => [key, record]));
  return keys;
});

/** Keys a second. */
async function run(windowMs: number): Promise<number> {
  const client = redis;
  if (client === undefined) throw new Error('not filled');
  const startedMs = performance.now();
  let calls = 0;
  const loop = async () => {
    while (performance.now() - startedMs < windowMs) {
      const list = keyLists[calls++ % keyLists.length] ?? [];
      const values = await client.mgetBuffer(...list);
      if (values.includes(null)) throw new Error('a key is gone');
    }
  };
  await Promise.all(Array.from({ length: CALLS_IN_FLIGHT }, loop));
  return (calls * KEYS_PER_CALL * 1000) / (performance.now() - startedMs);
}
