// All live tag revocations, in memory: what the judge asks besides the entry itself. Extendible hashing: pages, found
// by the first bits of a tag, that are split, swept and merged one at a time, so that no step takes long however many
// there are.
import {
  canMerge,
  createPage,
  findSlot,
  growPage,
  isFull,
  isTaken,
  mergePages,
  type Page,
  readBefore,
  readSeen,
  type Scratch,
  splitPage,
  sweepPage,
  TAKEN,
  takeSlot,
  writeTimes,
} from './revocation-page.js';
import type { Revocation } from './token-store.js';

export interface RevocationTable {
  /** Union by max(before): a narrow revocation never hides a broad one. About 1 us each. Throws RangeError. */
  apply(revocations: readonly Revocation[], storeTimeMs: number): void;
  /**
   * True when any of the concatenated 8-byte tags was revoked at or after the issue instant. Throws RangeError on bytes
   * that are not whole tags.
   */
  isRevoked(tags: Uint8Array, issueInstantMs: number): boolean;
  /**
   * One step, far under 5 ms, of forgetting what was last seen before this store time, when nothing that it concerns can be
   * valid any more. True when the pass is through: until then call it again, with any turns of the event loop between.
   * Times are kept in seconds, rounded so that an entry may live a second longer and never shorter. Throws RangeError on
   * what is no time.
   */
  expire(seenBeforeMs: number): boolean;
  readonly size: number;
}

const TAG_BYTES = 8;
/** Never grown, so never a pause: beyond 16,384 pages, at 10 M entries, pages grow instead. */
const DIRECTORY_BITS = 14;
const DIRECTORY_SHIFT = 32 - DIRECTORY_BITS;
/**
 * Pages of one size would all be split at the same time, and all be half empty after it. These are 2 ** (-i / 8) of the
 * first, told apart by the first bits of a tag: at any number of entries an eighth of the pages is as full as each can be.
 * 16 to 30 KB: arrays that a heap uses again, where ones that grow by themselves left 100 B an entry in its holes.
 */
const CAPACITIES = [1536, 1408, 1292, 1184, 1086, 996, 913, 838];
const CAPACITY_BITS = 3;
/** What one step of expiry looks at: about ten pages. */
const STEP_SLOTS = 10_000;
const LAST_SECOND = 0xffff_ffff;

export function createRevocationTable(): RevocationTable {
  const directory = createDirectory();
  const scratch: Scratch = { words: new Int32Array(0) };
  let size = 0;
  let nextToSweep = 0;

  function put(first: number, tail: number, beforeMs: number, seenSeconds: number): void {
    const head = first | TAKEN;
    const page = findPageWithRoom(first);
    const slot = findSlot(page, head, tail);
    if (!isTaken(page, slot)) {
      takeSlot(page, slot, head, tail);
      size++;
    }
    // Both are 0 in a slot that was free.
    const known = readBefore(page, slot);
    const knownSeen = readSeen(page, slot);
    writeTimes(page, slot, Math.max(known, beforeMs), Math.max(knownSeen, seenSeconds));
  }

  function findPageWithRoom(first: number): Page {
    const at = first >>> DIRECTORY_SHIFT;
    for (;;) {
      const page = getPage(directory, at);
      if (!isFull(page)) return page;
      if (page.depth < DIRECTORY_BITS) splitAt(page, at);
      else growPage(page, scratch);
    }
  }

  function splitAt(page: Page, at: number): void {
    page.depth++;
    const upper = createPage(page.depth, page.leastCapacity);
    splitPage(page, upper, 1 << (32 - page.depth), scratch);
    const width = widthOf(page);
    const start = (at & -(2 * width)) + width;
    directory.fill(upper, start, start + width);
  }

  /** With the half below it, and again with the half below both, as far as they fit together. */
  function mergeDown(start: number): void {
    for (let page = getPage(directory, start); page.depth > CAPACITY_BITS; ) {
      const width = widthOf(page);
      if ((start & width) === 0) return;
      const lower = getPage(directory, start - width);
      if (!canMerge(page, lower)) return;
      mergePages(page, lower);
      lower.depth--;
      directory.fill(lower, start, start + width);
      start -= width;
      page = lower;
    }
  }

  return {
    apply: (revocations, storeTimeMs) => {
      const seenSeconds = toSeconds(Math.ceil(storeTimeMs / 1000));
      for (const { tag, beforeMs } of revocations) {
        if (tag.length !== TAG_BYTES) throw new RangeError('a tag has 8 bytes');
        if (!Number.isSafeInteger(beforeMs)) throw new RangeError('the end of a revocation is a whole number of ms');
        put(readWord(tag, 0), readWord(tag, 4), beforeMs, seenSeconds);
      }
    },

    isRevoked: (tags, issueInstantMs) => {
      if (size === 0) return false;
      if (tags.length % TAG_BYTES !== 0) throw new RangeError('tags have 8 bytes each');
      for (let offset = 0; offset < tags.length; offset += TAG_BYTES) {
        const first = readWord(tags, offset);
        const page = getPage(directory, first >>> DIRECTORY_SHIFT);
        const slot = findSlot(page, first | TAKEN, readWord(tags, offset + 4));
        if (isTaken(page, slot) && issueInstantMs <= readBefore(page, slot)) return true;
      }
      return false;
    },

    expire: (seenBeforeMs) => {
      const seconds = toSeconds(Math.floor(seenBeforeMs / 1000));
      for (let slots = 0; slots < STEP_SLOTS && nextToSweep < directory.length; ) {
        const start = nextToSweep;
        const page = getPage(directory, start);
        slots += page.capacity;
        nextToSweep += widthOf(page);
        size -= sweepPage(page, seconds, scratch);
        mergeDown(start);
      }
      if (nextToSweep < directory.length) return false;
      nextToSweep = 0;
      return true;
    },

    get size() {
      return size;
    },
  };
}

function createDirectory(): Page[] {
  const width = 2 ** (DIRECTORY_BITS - CAPACITY_BITS);
  const directory: Page[] = [];
  for (const capacity of CAPACITIES) {
    const page = createPage(CAPACITY_BITS, capacity);
    for (let at = 0; at < width; at++) directory.push(page);
  }
  return directory;
}

function getPage(directory: readonly Page[], at: number): Page {
  const page = directory[at];
  if (page === undefined) throw new Error('the directory has no gap');
  return page;
}

/** How many places of the directory lead to the page. */
function widthOf({ depth }: Page): number {
  return 1 << (DIRECTORY_BITS - depth);
}

/** Beyond the last second, in the year 2106, nothing is forgotten any more. */
function toSeconds(seconds: number): number {
  // NaN is before and after nothing: with it, everything would be forgotten.
  if (!Number.isFinite(seconds)) throw new RangeError('a store time is a number of ms');
  return Math.min(Math.max(0, seconds), LAST_SECOND);
}

/** Big-endian and signed, as pages have them. */
function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
