// Names that the design gives to later versions: told as such, never ignored and never called unknown.
import { isPlainMap, valueAt } from './config-leaves.js';
import type { Fault } from './faults.js';

interface LaterSetting {
  readonly path: readonly string[];
  /** Only these values; undefined = any. */
  readonly isLater?: (value: unknown) => boolean;
}

export const NOT_YET_SUPPORTED = 'not yet supported by this version; remove it';

const LATER_SETTINGS: readonly LaterSetting[] = [
  { path: ['ext_authz'] },
  { path: ['store_defaults', 'partitions'], isLater: (value) => typeof value === 'number' && value > 1 },
];

/** Takes them out of the tree, so that nothing else complains about them, and gives a fault for each. */
export function takeNotYetSupported(tree: Record<string, unknown>): Fault[] {
  return LATER_SETTINGS.flatMap(({ path, isLater }) => {
    const value = valueAt(tree, path);
    if (value === undefined || isLater?.(value) === false) return [];
    const parent = valueAt(tree, path.slice(0, -1));
    if (isPlainMap(parent)) delete parent[path.at(-1) ?? ''];
    return [{ path: path.join('.'), problem: NOT_YET_SUPPORTED }];
  });
}

/** Whether the name of a flag (`store.url`) or of an environment variable (`STORE_URL`) is such a setting, or inside one. */
export function isNotYetSupported(name: string): boolean {
  const joined = name.toLowerCase().replaceAll('.', '_');
  return LATER_SETTINGS.some(({ path, isLater }) => {
    const later = path.join('_');
    return isLater === undefined && (joined === later || joined.startsWith(`${later}_`));
  });
}
