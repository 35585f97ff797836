// What answers carry, each thing once: to drop all that carry it is to mark it.

export interface DropMark {
  readonly key: string;
  isDropped: boolean;
  /** How many answers carry it. */
  uses: number;
}

export interface DropMarks {
  /** For an answer that carries the key. */
  take(key: string): DropMark;
  /** The answer is gone. */
  giveBack(mark: DropMark): void;
  /** False when no answer carries it. Answers that come later carry another mark. */
  drop(key: string): boolean;
}

export function createDropMarks(): DropMarks {
  const marks = new Map<string, DropMark>();
  return {
    take: (key) => {
      const mark = marks.get(key) ?? { key, isDropped: false, uses: 0 };
      if (mark.uses === 0) marks.set(key, mark);
      mark.uses += 1;
      return mark;
    },
    giveBack: (mark) => {
      mark.uses -= 1;
      if (mark.uses === 0 && !mark.isDropped) marks.delete(mark.key);
    },
    drop: (key) => {
      const mark = marks.get(key);
      if (mark === undefined) return false;
      mark.isDropped = true;
      return marks.delete(key);
    },
  };
}
