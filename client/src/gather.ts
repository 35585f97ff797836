/** Lists of up to `size` items. A list that is not full goes `lingerMs` after its first item, and before an error. */
export async function* gather<Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  size: number,
  lingerMs: number,
): AsyncGenerator<readonly Item[]> {
  const source = toAsync(items)[Symbol.asyncIterator]();
  let list: Item[] = [];
  let late = startTimer(lingerMs);
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): IteratorReturnResult<undefined> => {
    failure = { error };
    return { done: true, value: undefined };
  };
  try {
    for (;;) {
      const next = source.next().catch(fail);
      if (list.length > 0 && (await Promise.race([next, late.over])) === LATE) {
        yield list;
        list = [];
      }
      const { done, value } = await next;
      if (done === true) break;
      if (list.length === 0) {
        late.stop();
        late = startTimer(lingerMs);
      }
      if (list.push(value) < size) continue;
      yield list;
      list = [];
    }
    if (list.length > 0) yield list;
    if (failure !== undefined) throw failure.error;
  } finally {
    late.stop();
    // Not awaited: a source that waits for its next item may never hear of it.
    void source.return(undefined).catch(() => undefined);
  }
}

const LATE = Symbol('late');

function startTimer(ms: number) {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), ms);
  });
  return { over, stop: () => clearTimeout(timer) };
}

async function* toAsync<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
