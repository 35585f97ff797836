// Started as a process: what the revocation table costs, on its way from nothing to 1 M entries and back.
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Tag } from '../src/core/key-ring.js';
import { createRevocationTable, type RevocationTable } from '../src/core/revocation-table.js';
import { END_OF_TIME_MS } from '../src/core/token-store.js';
import { answerParent } from './child.js';
import { readWaitedSeconds } from './cpu.js';

export interface TableQuestion {
  readonly entries: number;
}

export interface TableSample {
  /** At so many entries; and the most while they became so many from half of it. */
  readonly bytesAtEnd: number;
  readonly bytesAtMost: number;
  readonly missNs: number;
  readonly hitNs: number;
  readonly recordNs: number;
  /** One page of the log; one step of expiry. */
  readonly applyMs: number;
  readonly expireMs: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const TAG_BYTES = 8;
/** Of a refresh token of a session, which has all kinds of tags. */
/** Of a login, and that of its issuer. */
const RECORD_TAGS = 7;
const LOG_PAGE = 1000;
const WEIGHINGS = 10;
const LOOKS = 1_000_000;

answerParent<TableQuestion, TableSample>(async ({ entries }) => {
  const tags = randomFillSync(Buffer.alloc(entries * TAG_BYTES));
  const empty = countBytes();
  const table = createRevocationTable();
  // The same objects each time: what is measured is the table, and not the garbage of whoever calls it.
  const page = Array.from({ length: LOG_PAGE }, () => {
    const tag = new Uint8Array(TAG_BYTES) as Tag;
    return { tag, beforeMs: END_OF_TIME_MS, issuerTag: tag };
  });
  let bytesAtMost = 0;
  let applyMs = 0;
  for (let first = 0; first < entries; first += LOG_PAGE) {
    for (let index = 0; index < LOG_PAGE; index++) {
      const from = (first + index) * TAG_BYTES;
      tags.copy(page[index]?.tag ?? tags, 0, from, from + TAG_BYTES);
    }
    applyMs = Math.max(
      applyMs,
      timeMs(() => table.apply(page, first)),
    );
    if (first >= entries / 2 && first % (entries / 2 / WEIGHINGS) === 0) {
      bytesAtMost = Math.max(bytesAtMost, (countBytes() - empty) / table.size);
    }
  }
  const bytesAtEnd = (countBytes() - empty) / table.size;
  const others = randomFillSync(Buffer.alloc(LOOKS * TAG_BYTES));
  const missNs = measureLooks(table, others, TAG_BYTES);
  const hitNs = measureLooks(table, tags, TAG_BYTES);
  const recordNs = measureLooks(table, others, RECORD_TAGS * TAG_BYTES);
  const expireMs = expireAll(table, entries);
  return { bytesAtEnd, bytesAtMost, missNs, hitNs, recordNs, applyMs, expireMs };
});

/** Of one question about so many bytes of tags, that of taking them up included. */
function measureLooks(table: RevocationTable, tags: Buffer, bytes: number): number {
  const asked = new Uint8Array(bytes);
  const looks = Math.floor(tags.length / bytes);
  const ms = timeMs(() => {
    for (let look = 0; look < looks; look++) {
      // Not in the order in which they were written.
      const from = ((look * 7919) % looks) * bytes;
      for (let index = 0; index < bytes; index++) asked[index] = tags[from + index] ?? 0;
      table.isRevoked(asked, 0);
    }
  });
  return (ms * 1e6) / looks;
}

/** The longest step of it; every second entry first, and then the rest. */
function expireAll(table: RevocationTable, entries: number): number {
  let longestMs = 0;
  for (const seenBeforeMs of [entries / 2, entries + LOG_PAGE]) {
    for (let through = false; !through; ) {
      longestMs = Math.max(
        longestMs,
        timeMs(() => {
          through = table.expire(seenBeforeMs);
        }),
      );
    }
  }
  if (table.size > 0) throw new Error('the table is not empty');
  return longestMs;
}

/** Without the time that other programs had the processor. */
function timeMs(action: () => void): number {
  const waitedSeconds = readWaitedSeconds(process.pid);
  const startedMs = performance.now();
  action();
  const ms = performance.now() - startedMs;
  return ms - (readWaitedSeconds(process.pid) - waitedSeconds) * 1000;
}

function countBytes(): number {
  // What one collection finds is freed beside it, at the latest when the next begins.
  collectGarbage();
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
