// Everything that happened to a store, and whether a token is active, found by looking through all of it: nothing is
// indexed, replaced or forgotten here.
import { decodeEntry, findTag } from '../../src/core/entry.js';
import type { Tag } from '../../src/core/key-ring.js';
import type { Revocation } from '../../src/core/token-store.js';
import { ISSUER_TAG } from './fixtures.js';

/** either: a revocation that the store may have forgotten, and that a server may still know. */
export type ExpectedAnswer = 'active' | 'inactive' | 'either';

export interface Clocks {
  readonly storeMs: number;
  readonly serverMs: number;
}

interface Happening {
  readonly atMs: number;
  /** How many times the store had been wiped before. */
  readonly epoch: number;
}

interface Registered extends Happening {
  readonly kind: 'registered';
  readonly tokenTag: Tag;
  readonly record: Buffer;
}

interface RevokedToken extends Happening {
  readonly kind: 'token';
  readonly tokenTag: Tag;
}

interface RevokedTag extends Happening, Revocation {
  readonly kind: 'tag';
}

const TAG_BYTES = 8;

export class Chronicle {
  readonly #foreverMs: number;
  readonly #happened: (Registered | RevokedToken | RevokedTag)[] = [];
  /** What each server has been told since it was started. */
  readonly #told = [new Set<RevokedTag>(), new Set<RevokedTag>()];
  #epoch = 0;

  /** `foreverMs`: how long after a revocation a token that it concerns may still be valid. */
  constructor(foreverMs: number) {
    this.#foreverMs = foreverMs;
  }

  register(record: Buffer, atMs: number): void {
    const tokenTag = findTag(record, 'token');
    if (tokenTag === undefined) throw new Error('a record has the tag of its token');
    this.#happened.push({ kind: 'registered', tokenTag, record, atMs, epoch: this.#epoch });
  }

  revokeToken(tokenTag: Tag, atMs: number): void {
    this.#happened.push({ kind: 'token', tokenTag, atMs, epoch: this.#epoch });
  }

  revokeTag(revocation: Revocation, atMs: number): void {
    this.#happened.push({ kind: 'tag', ...revocation, atMs, epoch: this.#epoch });
  }

  wipe(): void {
    this.#epoch += 1;
  }

  /** A server that starts knows nothing. */
  start(server: number): void {
    this.#told[server] = new Set();
  }

  /** What the server must say now. From here on it knows all that the store does. */
  answer(server: number, tokenTag: Tag, clocks: Clocks): ExpectedAnswer {
    const told = this.#told[server] ?? new Set();
    for (const one of this.#happened) if (one.kind === 'tag' && one.epoch === this.#epoch) told.add(one);
    const isOf = (one: Registered | RevokedToken) => one.epoch === this.#epoch && same(one.tokenTag, tokenTag);
    const since = this.#happened.findLastIndex((one) => one.kind === 'registered' && isOf(one));
    const registered = this.#happened[since];
    if (registered?.kind !== 'registered') return 'inactive';
    const record = decodeEntry(registered.record);
    if (record.expMs <= Math.max(clocks.storeMs, clocks.serverMs)) return 'inactive';
    if (this.#happened.slice(since).some((one) => one.kind === 'token' && isOf(one))) return 'inactive';
    const issuedMs = Math.min(registered.atMs, registered.record.readUIntBE(9, 6));
    const covering = this.#happened
      .filter((one) => one.kind === 'tag')
      .filter(({ tag, beforeMs }) => issuedMs <= beforeMs && (same(tag, ISSUER_TAG) || carries(record.tags, tag)));
    const isCertain = (one: RevokedTag) => clocks.storeMs < one.atMs + this.#foreverMs && told.has(one);
    if (covering.some(isCertain)) return 'inactive';
    return covering.length > 0 ? 'either' : 'active';
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function carries(tags: Uint8Array, tag: Tag): boolean {
  for (let at = 0; at < tags.length; at += TAG_BYTES) if (same(tags.subarray(at, at + TAG_BYTES), tag)) return true;
  return false;
}
