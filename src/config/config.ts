// The configuration as the rest of the program sees it: names with units, paths absolute, nothing that can change.
import type * as z from 'zod';
import { AUTHORIZATION, type CredentialPlace } from '../core/bearer.js';
import type { Profile } from '../core/demands.js';
import type { Address } from './address.js';
import type { configSchema } from './config-schema.js';

export interface Config {
  readonly listen: Address;
  readonly opsListen: Address;
  readonly tls: TlsFilePaths;
  readonly policyFile: string;
  readonly store: LmdbConfig | RedisConfig;
  readonly keysFile: string;
  readonly reflection: boolean;
  readonly limits: Limits;
  readonly extAuthz: ExtAuthzConfig;
  /** For a store that is created now; an existing one keeps its own. */
  readonly storeDefaults: { readonly maxTokenTtlMs: number; readonly leaseMs: number; readonly partitions: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

export interface LmdbConfig {
  readonly kind: 'lmdb';
  readonly path: string;
}

export interface RedisConfig {
  readonly kind: 'redis';
  readonly url: string;
  readonly keyPrefix: string;
  readonly username: string | undefined;
  readonly passwordFile: string | undefined;
  /** Undefined = as the url says. */
  readonly tls: RedisTlsFiles | undefined;
  readonly allowVolatile: boolean;
}

export interface RedisTlsFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface TlsFilePaths {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
  readonly crlFile: string | undefined;
}

export interface Limits {
  readonly batchTokens: number;
  readonly registerItems: number;
  readonly tokenBytes: number;
  readonly claimsBytes: number;
  readonly inflight: number;
  readonly connectionAgeMs: number;
  readonly cacheAgeMs: number;
  readonly storeTimeoutMs: number;
  readonly unknownTombstones: number;
  readonly watchers: number;
  readonly watchQueue: number;
  readonly logEntries: number;
}

export interface ExtAuthzConfig {
  readonly budgetMs: number;
  readonly onDoubt: 'deny' | 'envoy';
  readonly realm: string;
  readonly place: CredentialPlace;
  readonly headers: Readonly<Record<'sub' | 'client_id' | 'scope' | 'iss' | 'exp', string>>;
  readonly credential: 'strip' | 'pass';
  readonly profiles: Readonly<Record<string, Profile>>;
}

export function toConfig(parsed: z.output<typeof configSchema>): Config {
  const { tls, limits, store_defaults: storeDefaults } = parsed;
  return deepFreeze({
    listen: parsed.listen,
    opsListen: parsed.ops_listen,
    tls: {
      certFile: tls.cert_file,
      keyFile: tls.key_file,
      clientCaFile: tls.client_ca_file,
      crlFile: tls.crl_file,
    },
    policyFile: parsed.policy_file,
    store: toStoreConfig(parsed.store),
    keysFile: parsed.keys_file,
    reflection: parsed.reflection,
    limits: {
      batchTokens: limits.batch_tokens,
      registerItems: limits.register_items,
      tokenBytes: limits.token_bytes,
      claimsBytes: limits.claims_bytes,
      inflight: limits.inflight,
      connectionAgeMs: limits.connection_age,
      cacheAgeMs: limits.cache_age,
      storeTimeoutMs: limits.store_timeout,
      unknownTombstones: limits.unknown_tombstones,
      watchers: limits.watchers,
      watchQueue: limits.watch_queue,
      logEntries: limits.log_entries,
    },
    extAuthz: toExtAuthzConfig(parsed.ext_authz),
    storeDefaults: {
      maxTokenTtlMs: storeDefaults.max_token_ttl,
      leaseMs: storeDefaults.lease,
      partitions: storeDefaults.partitions,
    },
    log: parsed.log,
  });
}

function toStoreConfig(store: z.output<typeof configSchema>['store']): LmdbConfig | RedisConfig {
  const { kind, path, url = '', tls } = store;
  if (kind === 'lmdb') return { kind, path };
  return {
    ...{ kind, url },
    keyPrefix: store.key_prefix,
    username: store.username,
    passwordFile: store.password_file,
    tls: tls && { caFile: tls.ca_file, certFile: tls.cert_file, keyFile: tls.key_file },
    allowVolatile: store.allow_volatile,
  };
}

function toExtAuthzConfig(parsed: z.output<typeof configSchema>['ext_authz']): ExtAuthzConfig {
  const profiles = Object.entries(parsed.profiles ?? {}).map(([name, profile]): [string, Profile] => [
    name,
    {
      audience: profile.audience,
      scopesAll: profile.scopes_all,
      scopesAny: profile.scopes_any,
      issuers: profile.issuers,
      tokenUse: profile.token_use,
      acr: profile.acr,
      anonymous: profile.anonymous,
    },
  ]);
  return {
    budgetMs: parsed.budget,
    onDoubt: parsed.on_doubt,
    realm: parsed.realm,
    place: toPlace(parsed.credential),
    headers: parsed.headers,
    credential: parsed.strip_authorization ? 'strip' : 'pass',
    profiles: Object.fromEntries(profiles),
  };
}

function toPlace({
  header,
  cookie,
}: {
  header?: string | undefined;
  cookie?: string | undefined;
} = {}): CredentialPlace {
  if (cookie !== undefined) return { kind: 'cookie', name: cookie };
  return header === undefined || header === AUTHORIZATION ? { kind: 'bearer' } : { kind: 'header', name: header };
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member);
  return Object.freeze(value);
}
