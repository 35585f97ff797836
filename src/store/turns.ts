interface Turn {
  readonly key: string;
  last: Promise<unknown>;
}

/** Runs what has the same key one after the other: of writes to one place, all but the first would only be repeated. */
export function createTurns(): <Result>(key: string, task: () => Promise<Result>) => Promise<Result> {
  // No Map, whose tables would keep what was once in them (docs/adr/0028). As many as writes are under way.
  const turns: Turn[] = [];

  return (key, task) => {
    let turn = turns.find((other) => other.key === key);
    if (turn === undefined) {
      turn = { key, last: Promise.resolve() };
      turns.push(turn);
    }
    const mine = turn;
    const done = mine.last.then(task, task);
    mine.last = done;
    const forget = (): void => {
      if (mine.last === done) turns.splice(turns.indexOf(mine), 1);
    };
    done.then(forget, forget);
    return done;
  };
}
