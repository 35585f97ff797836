// The open streams of a session by their ids, in place of the Map that node:http2 keeps them in.
import type { ServerHttp2Stream } from 'node:http2';

/**
 * No Map inside: entries that come and go make it change tables, V8 lets each table lead to the next one, and once one of
 * them is old, every stream that was open at such a change is found alive, with all of its call, until the next full
 * collection. That was a quarter of what calls allocate, and a third of their time (docs/adr/0028). Looked for one by one:
 * the limit of concurrent streams bounds how many there are.
 */
export class StreamTable implements Map<number, ServerHttp2Stream> {
  readonly [Symbol.toStringTag] = 'StreamTable';
  private readonly ids: number[] = [];
  private readonly streams: ServerHttp2Stream[] = [];

  get size(): number {
    return this.ids.length;
  }

  has(id: number): boolean {
    return this.ids.includes(id);
  }

  get(id: number): ServerHttp2Stream | undefined {
    return this.streams[this.ids.indexOf(id)];
  }

  set(id: number, stream: ServerHttp2Stream): this {
    const found = this.ids.indexOf(id);
    const index = found < 0 ? this.ids.length : found;
    this.ids[index] = id;
    this.streams[index] = stream;
    return this;
  }

  delete(id: number): boolean {
    const index = this.ids.indexOf(id);
    if (index < 0) return false;
    const [lastId, last] = [this.ids.pop(), this.streams.pop()];
    if (lastId !== undefined && last !== undefined && lastId !== id) {
      this.ids[index] = lastId;
      this.streams[index] = last;
    }
    return true;
  }

  clear(): void {
    this.ids.length = 0;
    this.streams.length = 0;
  }

  /** Of those that are there now: what is visited may go. */
  forEach(visit: (stream: ServerHttp2Stream, id: number, table: this) => void): void {
    for (const [id, stream] of this.entries()) visit(stream, id, this);
  }

  keys() {
    return this.ids.slice().values();
  }

  values() {
    return this.streams.slice().values();
  }

  entries() {
    const { streams } = this;
    const pairs = this.ids.flatMap((id, index): [number, ServerHttp2Stream][] => {
      const stream = streams[index];
      return stream === undefined ? [] : [[id, stream]];
    });
    return pairs.values();
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}
