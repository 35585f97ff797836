export { createIntrospectionClient } from './client.js';
export type {
  CallOptions,
  IntrospectionClient,
  IntrospectionClientOptions,
  IntrospectOptions,
  Revocation,
  RevokeOptions,
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
export type { RevocationSelector } from './revocation-selector.js';
export { type FailedCall, toIntrospectionError } from './status-error.js';
export type { ClientTls, TlsFiles, TlsMaterial } from './tls.js';
