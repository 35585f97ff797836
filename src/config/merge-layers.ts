// Lays defaults, file, environment and flags over one another, and remembers where each value came from. No I/O.
import { dirname, resolve } from 'node:path';
import { CONFIG_LEAVES, type ConfigLeaf, envName, isPlainMap, valueAt } from './config-leaves.js';
import type { YamlMap } from './yaml-map.js';

export interface ConfigSources {
  /** Relative paths in it, and those of the defaults, start at its folder. */
  readonly file: { readonly path: string; readonly text: string } | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of a setting -> text, such as `limits.batch_tokens` -> `100`. */
  readonly flags: ReadonlyMap<string, string>;
  /** Where relative paths of the environment and of flags start, and those of the defaults when there is no file. */
  readonly workingFolder: string;
}

export interface MergedLayers {
  /** In the shape of a file; relative paths are absolute. Unknown keys of the file are still in it. */
  readonly tree: Record<string, unknown>;
  /** Name of a setting -> where its value came from; only for those that have one. */
  readonly origins: ReadonlyMap<string, string>;
}

interface Layer {
  readonly origin: (leaf: ConfigLeaf) => string;
  readonly value: (leaf: ConfigLeaf) => unknown;
  /** Where relative paths start. */
  readonly folder: string;
}

export function mergeLayers(sources: ConfigSources, file: YamlMap): MergedLayers {
  const tree = withoutEmptySections(structuredClone(file.value) as Record<string, unknown>);
  const origins = new Map<string, string>();
  const layers = toLayers(sources, file);
  for (const leaf of CONFIG_LEAVES) {
    const layer = layers.findLast((candidate) => candidate.value(leaf) !== undefined);
    if (layer === undefined) continue;
    const value = layer.value(leaf);
    const isRelative = leaf.isPath && typeof value === 'string' && value !== '';
    setAt(tree, leaf.path, isRelative ? resolve(layer.folder, value) : value);
    origins.set(leaf.name, layer.origin(leaf));
  }
  return { tree, origins };
}

function toLayers({ file: source, env, flags, workingFolder }: ConfigSources, file: YamlMap): readonly Layer[] {
  const fileFolder = source === undefined ? workingFolder : dirname(resolve(workingFolder, source.path));
  return [
    { origin: () => 'default', value: (leaf) => leaf.initial, folder: fileFolder },
    {
      origin: (leaf) => `${source?.path}:${file.findLine(leaf.path) ?? 1}`,
      value: (leaf) => valueAt(file.value, leaf.path),
      folder: fileFolder,
    },
    {
      origin: (leaf) => `env ${envName(leaf.path)}`,
      value: (leaf) => fromText(leaf, env[envName(leaf.path)]),
      folder: workingFolder,
    },
    {
      origin: (leaf) => `flag ${leaf.name}`,
      value: (leaf) => fromText(leaf, flags.get(leaf.name)),
      folder: workingFolder,
    },
  ];
}

/** Text that does not look like the type stays text: the schema then says what was expected. */
function fromText(leaf: ConfigLeaf, text: string | undefined): unknown {
  if (leaf.type === 'integer' && text !== undefined && /^-?\d+$/.test(text)) return Number(text);
  if (leaf.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** `limits:` with every line below it commented out is null in YAML, and means an empty section. */
function withoutEmptySections(tree: Record<string, unknown>): Record<string, unknown> {
  for (const [section] of CONFIG_LEAVES.map((leaf) => leaf.path).filter((path) => path.length > 1)) {
    if (section !== undefined && (tree[section] === null || tree[section] === undefined)) tree[section] = {};
  }
  return tree;
}

/** Leaves a parent that is not a section alone: the schema complains about it. */
function setAt(tree: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (key === undefined) return;
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  tree[key] ??= {};
  const section = tree[key];
  if (isPlainMap(section)) setAt(section, rest, value);
}
