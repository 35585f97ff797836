// The parts of ext_authz, made of what the configuration says.
import type { Config } from '../config/config.js';
import { createCheck } from '../core/check.js';
import type { Introspect } from '../core/introspect.js';
import { limitCheck, type Rates } from '../core/rates.js';
import { createAuthorizationService } from '../envoy/authorization-service.js';
import { createCheckLog } from '../envoy/check-log.js';
import { decodeClaims } from '../envoy/claims.js';
import type { GrpcServerDeps } from '../grpc/server.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';

export interface AuthorizationParts {
  readonly config: Pick<Config, 'extAuthz' | 'limits'>;
  /** Without the rate of tokens, which is not for Checks. */
  readonly introspect: Introspect;
  readonly rates: Rates;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'checks'>;
}

export function wireAuthorization({ config, introspect, rates, logger, metrics }: AuthorizationParts) {
  const { extAuthz, limits } = config;
  const { place, profiles } = extAuthz;
  const { tokenBytes } = limits;
  const check = createCheck({
    introspect,
    profiles: new Map(Object.entries(profiles)),
    ...{ place, tokenBytes, decodeClaims },
  });
  return createAuthorizationService({
    check: limitCheck(check, rates),
    settings: { ...extAuthz, tokenBytes },
    metrics: metrics.checks,
    log: createCheckLog(logger, () => performance.now()),
  }) satisfies GrpcServerDeps['authorization'];
}
