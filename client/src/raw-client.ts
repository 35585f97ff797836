// The generated client over a channel that is set up for a service mesh.
import { type ChannelCredentials, type ChannelOptions, credentials as noCredentials } from '@grpc/grpc-js';
import { IntrospectionServiceClient } from './gen/introspectd/v1/introspection_service.js';
import { IntrospectionError } from './introspection-error.js';
import { createRotatingChannel, type RotatingChannel } from './rotating-channel.js';

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  // Who controls DNS records does not control how calls are made.
  'grpc.service_config_disable_resolution': 1,
  // The daemon is inside the mesh; proxies in the environment (https_proxy) are for the outside.
  'grpc.enable_http_proxy': 0,
  // A daemon that restarts is found again within a second or so, before the next one goes: the default is up to two minutes.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A peer that vanished without closing its connections is noticed within 8 s of use.
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 3_000,
};

// https://github.com/grpc/grpc/blob/master/doc/naming.md
const NAMING_SCHEME = /^(dns|ipv4|ipv6|unix):/;

export interface RawClient {
  readonly raw: IntrospectionServiceClient;
  readonly replaceCredentials: RotatingChannel['replace'];
}

/** `address` as of parseTarget(). Connects at the first call. */
export function createRawClient(
  address: string,
  credentials: ChannelCredentials,
  serverName: string | undefined,
): RawClient {
  const { channel, replace } = createRotatingChannel(
    address,
    credentials,
    serverName === undefined
      ? CHANNEL_OPTIONS
      : { ...CHANNEL_OPTIONS, 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName },
  );
  // Those of the channel count.
  const raw = new IntrospectionServiceClient(address, noCredentials.createInsecure(), { channelOverride: channel });
  return { raw, replaceCredentials: replace };
}

/** "host:port" is looked up in DNS; a target with a scheme of gRPC naming stays as it is. Throws INVALID_ARGUMENT. */
export function parseTarget(target: string): string {
  if (NAMING_SCHEME.test(target)) return target;
  if (!target || target.includes('/')) {
    throw new IntrospectionError(
      'INVALID_ARGUMENT',
      'target is "host:port", or a gRPC name such as "dns:///host:port"',
    );
  }
  return `dns:///${target}`;
}
