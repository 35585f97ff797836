// What zod found, as faults: one a place, unknown keys each on their own with the name that was probably meant.
import type * as z from 'zod';
import { type Fault, formatPath } from './faults.js';
import { findNearestName } from './nearest-name.js';

/** `findKeys` gives the known keys at a path: those that an unknown one may be a typing error of. */
export function toSchemaFaults(
  issues: readonly z.core.$ZodIssue[],
  findKeys: (path: readonly PropertyKey[]) => readonly string[],
): Fault[] {
  const faults = issues.flatMap((issue): Fault[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: formatPath(issue.path), problem: issue.message }];
    return issue.keys.map((key) => {
      const nearest = findNearestName(key, findKeys(issue.path));
      const hint = nearest === undefined ? 'remove it' : `did you mean ${nearest}?`;
      return { path: formatPath([...issue.path, key]), problem: `unknown key; ${hint}` };
    });
  });
  const seen = new Set<string>();
  return faults.filter(({ path, problem }) => {
    const key = JSON.stringify([path, problem]);
    return !seen.has(key) && seen.add(key);
  });
}
