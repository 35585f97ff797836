// The settings as a flat list, derived from the schema: what environment variables, flags and the printed
// configuration are made of.
import * as z from 'zod';
import { configSchema } from './config-schema.js';

export interface ConfigLeaf {
  /** Such as `limits.batch_tokens`. */
  readonly name: string;
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean' | 'object';
  /** The value is a path in the file system. */
  readonly isPath: boolean;
  /** As it would be written in a file; undefined where there is none. */
  readonly initial: string | number | boolean | undefined;
  readonly description: string;
}

/** The parts of JSON Schema that configSchema turns into. */
interface SchemaNode {
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** JSON Schema of a configuration file. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(configSchema, { io: 'input' }), title: 'introspectd configuration' };
}

export const CONFIG_LEAVES: readonly ConfigLeaf[] = toLeaves(configJsonSchema() as SchemaNode, []);

export function envName(path: readonly string[]): string {
  return `INTROSPECTD_${path.join('_').toUpperCase()}`;
}

/** The keys that are known at a path; with those of the sections below, a key may also stand at the wrong depth. */
export function findConfigKeys(path: readonly PropertyKey[]): readonly string[] {
  const inside = CONFIG_LEAVES.filter((leaf) => path.every((key, index) => key === leaf.path[index]));
  return [...new Set(inside.flatMap((leaf) => leaf.path[path.length] ?? []))];
}

/** What stands at a path of nested maps. */
export function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const key of path) value = isPlainMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

export function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toLeaves(node: SchemaNode, path: readonly string[]): ConfigLeaf[] {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([key, child]) => toLeaves(child, [...path, key]));
  }
  return [
    {
      name: path.join('.'),
      path,
      // A literal number is "number" in JSON Schema; there are no settings with fractions.
      type: node.type === 'number' ? 'integer' : (node.type as ConfigLeaf['type']),
      isPath: node.format === 'path',
      initial: node.default as ConfigLeaf['initial'],
      description: node.description ?? '',
    },
  ];
}
