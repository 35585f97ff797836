// The effective configuration: defaults < file < environment < flags, each value with where it came from. No I/O.
import { type Config, toConfig } from './config.js';
import { CONFIG_LEAVES, type ConfigLeaf, envName, findConfigKeys, valueAt } from './config-leaves.js';
import { configSchema } from './config-schema.js';
import { findCrossFaults } from './cross-checks.js';
import { type Fault, FaultsError } from './faults.js';
import { type ConfigSources, mergeLayers } from './merge-layers.js';
import { findNearestName } from './nearest-name.js';
import { takeNotYetSupported } from './not-yet-supported.js';
import { toSchemaFaults } from './schema-faults.js';
import { parseYamlMap } from './yaml-map.js';

export interface EffectiveSetting {
  readonly leaf: ConfigLeaf;
  readonly value: unknown;
  /** `default`, `introspectd.yaml:12`, `env INTROSPECTD_LISTEN` or `flag listen`. */
  readonly origin: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly EffectiveSetting[];
}

const SUBJECT = 'the configuration';
const ENV_PREFIX = 'INTROSPECTD_';
// Kubernetes puts these into every container beside a Service that is called introspectd (Docker links do too).
const SERVICE_LINK = /^INTROSPECTD_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Throws FaultsError with everything that is wrong. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const file = parseYamlMap(sources.file?.text ?? '', sources.file?.path ?? SUBJECT);
  const { tree, origins } = mergeLayers(sources, file);
  const later = takeNotYetSupported(tree);
  const parsed = configSchema.safeParse(tree);
  const faults = [
    ...later,
    ...toSchemaFaults(parsed.error?.issues ?? [], findConfigKeys),
    ...findCrossFaults(tree),
    ...findUnknown(sources),
  ];
  if (!parsed.success || faults.length > 0) {
    const findOrigin = (path: string): string | undefined => {
      const line = file.findLine(path.split('.'));
      return origins.get(path) ?? (line === undefined ? undefined : `${sources.file?.path}:${line}`);
    };
    throw new FaultsError(
      SUBJECT,
      faults.map((fault) => ({ ...fault, origin: findOrigin(fault.path) })),
    );
  }
  const settings = CONFIG_LEAVES.flatMap((leaf) => {
    const origin = origins.get(leaf.name);
    return origin === undefined ? [] : [{ leaf, value: valueAt(tree, leaf.path), origin }];
  });
  return { config: toConfig(parsed.data), settings };
}

/** Environment variables and flags that name no setting. */
function findUnknown({ env, flags }: ConfigSources): Fault[] {
  const variables = CONFIG_LEAVES.map((leaf) => envName(leaf.path));
  const names = CONFIG_LEAVES.map((leaf) => leaf.name);
  const unknownVariables = Object.keys(env).filter(
    (name) => name.startsWith(ENV_PREFIX) && !variables.includes(name) && !SERVICE_LINK.test(name),
  );
  const unknownFlags = [...flags.keys()].filter((name) => !names.includes(name));
  return [
    ...unknownVariables.map((name) => toUnknown(name, 'environment variable', variables)),
    ...unknownFlags.map((name) => toUnknown(name, 'setting', names)),
  ];
}

function toUnknown(name: string, kind: string, candidates: readonly string[]): Fault {
  const nearest = findNearestName(name, candidates);
  return {
    path: name,
    problem: `unknown ${kind}; ${nearest === undefined ? 'remove it' : `did you mean ${nearest}?`}`,
  };
}
