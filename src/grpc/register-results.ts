import type { IntrospectdError } from '../core/errors.js';
import type { Status } from '../gen/google/rpc/status.js';
import type { RegisterResult } from '../gen/introspectd/v1/token_registry_service.js';
import { toRpcStatus } from './status.js';

/** Of entries, in order; undefined = OK. */
export type Outcomes = readonly (IntrospectdError | undefined)[];

const OK: Status = { code: 0, message: '', details: [] };

export function toRegisterResults(outcomes: Outcomes): RegisterResult[] {
  return outcomes.map((error) => ({ status: error === undefined ? OK : toRpcStatus(error) }));
}
