// A mechanism taken out of the compiled code while it is loaded, so that a test can be seen to miss it. Nothing unsafe
// is part of what is shipped: the edit is made in memory, by a module hook, in the process that the test runs in.
import { appendFileSync } from 'node:fs';
import type { LoadHook } from 'node:module';

export interface Mutation {
  /** End of the compiled file's path. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Gets a line each time the edit was made. */
  readonly marker: string;
}

let mutation: Mutation | undefined;

export function initialize(data: Mutation): void {
  mutation = data;
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (mutation === undefined || !url.endsWith(mutation.file)) return loaded;
  const source = String(loaded.source);
  if (source.split(mutation.find).length !== 2)
    throw new Error(`not exactly once in ${mutation.file}: ${mutation.find}`);
  appendFileSync(mutation.marker, `${url}\n`);
  return { ...loaded, source: source.replace(mutation.find, () => mutation?.replace ?? '') };
};
