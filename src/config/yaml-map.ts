// YAML as this project reads it: one document that is a map, no duplicate keys, no custom tags, of bounded size.
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { type Fault, FaultsError } from './faults.js';

/** A file beyond this is not one that a person wrote. */
const MAX_BYTES = 1024 * 1024;

export interface YamlMap {
  readonly value: Readonly<Record<string, unknown>>;
  /** The line of a key's value, from 1. */
  findLine(path: readonly (string | number)[]): number | undefined;
}

/** Throws FaultsError with the line of each syntax error. An empty text is an empty map. */
export function parseYamlMap(text: string, subject: string): YamlMap {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new FaultsError(subject, [whole('is larger than 1 MiB')]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, stringKeys: true });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    const faults = problems.map(({ pos, message }) => whole(`${message}`, `line ${lines.linePos(pos[0]).line}`));
    throw new FaultsError(subject, faults);
  }
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (!isEmpty && !isMap(contents)) {
    throw new FaultsError(subject, [whole('must be a map: lines of key: value')]);
  }
  return {
    value: (isEmpty ? {} : toPlain(document, subject)) as Record<string, unknown>,
    findLine: (path) => {
      const node = document.getIn(path, true);
      return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
    },
  };
}

function toPlain(document: ReturnType<typeof parseDocument>, subject: string): unknown {
  try {
    return document.toJS({
      reviver: (key, value: unknown) => {
        // Objects of JavaScript would take it for something else, and no check of theirs would see it.
        if (key === '__proto__')
          throw new FaultsError(subject, [{ path: '__proto__', problem: 'unknown key; remove it' }]);
        return value;
      },
    });
  } catch (error) {
    if (error instanceof FaultsError) throw error;
    // An alias that is used too often: yaml's own guard against a file that unfolds without end.
    throw new FaultsError(subject, [whole('unfolds to too much; use fewer aliases')]);
  }
}

function whole(problem: string, origin?: string): Fault {
  return { path: '', problem, origin };
}
