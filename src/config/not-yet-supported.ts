// Names that the design gives to later versions: told as such, never ignored and never called unknown.
import { isPlainMap, valueAt } from './config-leaves.js';
import type { Fault } from './faults.js';

interface LaterSetting {
  readonly path: readonly string[];
  /** Only these values. */
  readonly isLater: (value: unknown) => boolean;
}

export const NOT_YET_SUPPORTED = 'not yet supported by this version; remove it';

const LATER_SETTINGS: readonly LaterSetting[] = [
  { path: ['store_defaults', 'partitions'], isLater: (value) => typeof value === 'number' && value > 1 },
];

/** Takes them out of the tree, so that nothing else complains about them, and gives a fault for each. */
export function takeNotYetSupported(tree: Record<string, unknown>): Fault[] {
  return LATER_SETTINGS.flatMap(({ path, isLater }) => {
    const value = valueAt(tree, path);
    if (value === undefined || !isLater(value)) return [];
    const parent = valueAt(tree, path.slice(0, -1));
    if (isPlainMap(parent)) delete parent[path.at(-1) ?? ''];
    return [{ path: path.join('.'), problem: NOT_YET_SUPPORTED }];
  });
}
