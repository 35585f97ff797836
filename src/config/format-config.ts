import { Document } from 'yaml';
import type { EffectiveSetting } from './load-config.js';

/** The effective configuration as a file, every line with where its value came from. */
export function formatConfig(settings: readonly EffectiveSetting[]): string {
  const document = new Document({});
  for (const { leaf, value, origin } of settings) {
    const node = document.createNode(value);
    node.comment = ` ${origin}`;
    document.setIn(leaf.path, node);
  }
  return document.toString({ lineWidth: 0 });
}
