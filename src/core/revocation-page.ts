// One page of the revocation table: open addressing over one typed array, five words a slot. All heads come first, so that
// looking for a tag that is not there, which nearly every look is, touches them alone; then the rest of each slot.
//
//   head    first word of the tag, its top bit set: the page's place tells that bit, so here it says that the slot is taken
//   tail    second word of the tag; together they are the tag, to the last bit
//   before  two words: its low 32 bits, and the rest
//   seen    when the tag was last applied, in seconds of store time
//
// Linear probing, and no tombstones: whatever leaves does so by putting the rest in place again.

export interface Page {
  /** How many first bits its tags share. */
  depth: number;
  /** Entries; fewer than slots, so whoever probes ends at a free one. */
  count: number;
  /** Slots; more than `leastCapacity` only where a page could not be split. */
  capacity: number;
  readonly leastCapacity: number;
  /** A head of 0 is a free slot. */
  words: Int32Array;
}

/** Where a page's words lie while it is put in place again: one for all pages, for this leaves nothing to collect. */
export interface Scratch {
  words: Int32Array;
}

export const TAKEN = 0x8000_0000;

const WORDS = 5;
/** Of a slot, beside its head. */
const REST = 4;
const BEFORE_LOW = 1;
const BEFORE_HIGH = 2;
const SEEN = 3;
const WORD_VALUES = 0x1_0000_0000;
/** Linear probing is short up to this. */
const FILLED_AT_MOST = 0.85;
/** Of two pages that become one: less than FILLED_AT_MOST, so that pages do not merge and split in turn. */
const FILLED_BY_MERGE = 0.8;

export function createPage(depth: number, capacity: number): Page {
  return { depth, count: 0, capacity, leastCapacity: capacity, words: new Int32Array(capacity * WORDS) };
}

export function isFull({ count, capacity }: Page): boolean {
  return count >= capacity * FILLED_AT_MOST;
}

export function canMerge(from: Page, into: Page): boolean {
  return from.depth === into.depth && from.count + into.count <= into.leastCapacity * FILLED_BY_MERGE;
}

/** The slot of a tag, or the free one where it would go. Words are signed, and `head` is with TAKEN. */
export function findSlot({ words, capacity }: Page, head: number, tail: number): number {
  // Tags are keyed hashes: their second word spreads evenly over the slots, and nobody chooses it.
  let slot = Math.floor(((tail >>> 0) * capacity) / WORD_VALUES);
  for (;;) {
    const found = words[slot];
    if (found === 0 || (found === head && words[capacity + REST * slot] === tail)) return slot;
    slot = slot + 1 === capacity ? 0 : slot + 1;
  }
}

export function isTaken({ words }: Page, slot: number): boolean {
  return words[slot] !== 0;
}

export function readBefore({ words, capacity }: Page, slot: number): number {
  const rest = capacity + REST * slot;
  return unsigned(words[rest + BEFORE_HIGH]) * WORD_VALUES + unsigned(words[rest + BEFORE_LOW]);
}

export function readSeen({ words, capacity }: Page, slot: number): number {
  return unsigned(words[capacity + REST * slot + SEEN]);
}

export function takeSlot(page: Page, slot: number, head: number, tail: number): void {
  page.words[slot] = head;
  page.words[page.capacity + REST * slot] = tail;
  page.count++;
}

export function writeTimes({ words, capacity }: Page, slot: number, beforeMs: number, seenSeconds: number): void {
  const rest = capacity + REST * slot;
  words[rest + BEFORE_LOW] = beforeMs;
  words[rest + BEFORE_HIGH] = Math.floor(beforeMs / WORD_VALUES);
  words[rest + SEEN] = seenSeconds;
}

/** Moves the entries whose heads have this bit into `upper`, an empty page. */
export function splitPage(page: Page, upper: Page, bit: number, scratch: Scratch): void {
  redistribute(page, scratch, page.capacity, (head) => ((head & bit) === 0 ? page : upper));
}

/** Adds all entries of `from`, of other tags, to `into`. */
export function mergePages(from: Page, into: Page): void {
  for (let slot = 0; slot < from.capacity; slot++) {
    if (isTaken(from, slot)) copySlot(from, slot, into);
  }
}

/** Twice as many slots. */
export function growPage(page: Page, scratch: Scratch): void {
  redistribute(page, scratch, page.capacity * 2, () => page);
}

/** Drops what was last seen before this second; tells how many that were. */
export function sweepPage(page: Page, seconds: number, scratch: Scratch): number {
  const { words, capacity, count } = page;
  let staying = 0;
  for (let slot = 0; slot < capacity; slot++) {
    if (words[slot] !== 0 && readSeen(page, slot) >= seconds) staying++;
  }
  if (staying === count) return 0;
  let enough = page.leastCapacity;
  while (staying >= enough * FILLED_AT_MOST) enough *= 2;
  redistribute(page, scratch, enough, (_head, seen) => (seen >= seconds ? page : undefined));
  return count - staying;
}

/** Empties the page, and gives each of its entries to the page that `choose` names; to none when it names none. */
function redistribute(
  page: Page,
  scratch: Scratch,
  capacity: number,
  choose: (head: number, seenSeconds: number) => Page | undefined,
): void {
  if (scratch.words.length < page.words.length) scratch.words = new Int32Array(page.words.length);
  scratch.words.set(page.words);
  const old = { ...page, words: scratch.words };
  if (capacity === page.capacity) page.words.fill(0);
  else page.words = new Int32Array(capacity * WORDS);
  page.capacity = capacity;
  page.count = 0;
  for (let slot = 0; slot < old.capacity; slot++) {
    const head = old.words[slot] ?? 0;
    if (head === 0) continue;
    const target = choose(head, readSeen(old, slot));
    if (target !== undefined) copySlot(old, slot, target);
  }
}

function copySlot(from: Page, slot: number, into: Page): void {
  const head = from.words[slot] ?? 0;
  const rest = from.capacity + REST * slot;
  const free = findSlot(into, head, from.words[rest] ?? 0);
  into.words[free] = head;
  const freeRest = into.capacity + REST * free;
  for (let word = 0; word < REST; word++) into.words[freeRest + word] = from.words[rest + word] ?? 0;
  into.count++;
}

function unsigned(word: number | undefined): number {
  return (word ?? 0) >>> 0;
}
