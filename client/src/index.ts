export { createIntrospectionClient } from './client.js';
export type { ClientLogger } from './client-logger.js';
export type { ClientInstrument, ClientMeter } from './client-meter.js';
export type { CacheOptions, IntrospectionClientOptions, RetryOptions } from './client-options.js';
export type { ClientStats } from './client-stats.js';
export type {
  CallOptions,
  IntrospectionClient,
  IntrospectManyOptions,
  IntrospectOptions,
  Revocation,
  RevokeOptions,
  StreamedToken,
  StreamOptions,
  WatchOptions,
} from './introspection-client.js';
export {
  type FieldViolation,
  IntrospectionError,
  type IntrospectionErrorCode,
  type IntrospectionErrorOptions,
} from './introspection-error.js';
export type {
  ActiveToken,
  Confirmation,
  InactiveReason,
  InactiveToken,
  IntrospectionResult,
  TokenUse,
} from './introspection-result.js';
export type { RevocationNotice } from './revocation-notice.js';
export type { RevocationSelector } from './revocation-selector.js';
export { type FailedCall, toIntrospectionError } from './status-error.js';
export type { ClientTls, TlsFiles, TlsMaterial } from './tls.js';
