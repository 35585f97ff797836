// The policy file (YAML) as rules: everything that is wrong with it at once, each with its path and line.
import type * as z from 'zod';
import type { CallerRule } from '../core/policy.js';
import { isPlainMap } from './config-leaves.js';
import { type Fault, FaultsError } from './faults.js';
import { findPolicyKeys, policySchema } from './policy-schema.js';
import { toSchemaFaults } from './schema-faults.js';
import { parseYamlMap } from './yaml-map.js';

const CHECK_KEYS = ['check_rate', 'check_profile', 'check_anonymous'];

/** `file` is its name, for messages; `profiles` are the names that the configuration has. Throws FaultsError. */
export function parsePolicyFile(text: string, file: string, profiles: readonly string[] = []): readonly CallerRule[] {
  const yaml = parseYamlMap(text, file);
  const callers = toList(yaml.value, 'callers');
  const parsed = policySchema.safeParse(yaml.value);
  const faults = [
    ...toSchemaFaults(parsed.error?.issues ?? [], findPolicyKeys),
    ...findDuplicates(callers),
    ...callers.flatMap((caller, index) => findCheckFaults(caller, `callers[${index}]`, profiles)),
  ];
  if (!parsed.success || faults.length > 0) {
    const withLine = (fault: Fault): Fault => {
      const line = yaml.findLine(splitPath(fault.path));
      return line === undefined ? fault : { ...fault, origin: `line ${line}` };
    };
    throw new FaultsError(`the policy ${file}`, faults.map(withLine));
  }
  return parsed.data.callers.map(toRule);
}

function toRule(caller: z.output<typeof policySchema>['callers'][number]): CallerRule {
  const {
    token_use: tokenUse,
    claims,
    rate: tokens,
    revoke_rate: revoke,
    unknown_revoke_rate: unknownRevoke,
    check_rate: check,
    check_profile: profile,
    check_anonymous: anonymous = false,
    conditions,
    ...rest
  } = caller;
  return {
    ...rest,
    tokenUse,
    claims,
    rates: { tokens, revoke, unknownRevoke, check },
    check: { profile, anonymous },
    conditions,
  };
}

/** A key that has no effect where it stands was meant to have one. */
function findCheckFaults(caller: unknown, path: string, profiles: readonly string[]): Fault[] {
  if (!isPlainMap(caller)) return [];
  const { check_profile: profile } = caller;
  const faults = toList(caller, 'permissions').includes('check')
    ? []
    : CHECK_KEYS.filter((key) => Object.hasOwn(caller, key)).map((key) => ({
        path: `${path}.${key}`,
        problem: 'goes with permission "check"; give that, or remove this',
      }));
  if (typeof profile === 'string' && !profiles.includes(profile)) {
    faults.push({
      path: `${path}.check_profile`,
      problem: 'names no profile of ext_authz.profiles in the configuration',
    });
  }
  return faults;
}

/** Two callers of one name could not be told apart in a log; two of one identity could not be told apart at all. */
function findDuplicates(callers: readonly unknown[]): Fault[] {
  const firstPaths = new Map<string, string>();
  const faults: Fault[] = [];
  const note = (kind: string, value: unknown, path: string): void => {
    if (typeof value !== 'string') return;
    const first = firstPaths.get(`${kind} ${value}`);
    if (first === undefined) firstPaths.set(`${kind} ${value}`, path);
    else faults.push({ path, problem: `the same ${kind} stands at ${first}; each must be unique` });
  };
  for (const [index, caller] of callers.entries()) {
    if (!isPlainMap(caller)) continue;
    const { name } = caller;
    note('name', name, `callers[${index}].name`);
    for (const [at, identity] of toList(caller, 'identities').entries()) {
      note('identity', identity, `callers[${index}].identities[${at}]`);
    }
  }
  return faults;
}

function toList(map: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  const value = map[key];
  return Array.isArray(value) ? value : [];
}

/** `callers[2].claims` -> `['callers', 2, 'claims']`. */
function splitPath(path: string): (string | number)[] {
  return path.split(/[.[\]]+/).flatMap((part) => (part === '' ? [] : /^\d+$/.test(part) ? Number(part) : part));
}
