// TokenRegistryService: issuers make tokens known.
import type { handleBidiStreamingCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Register } from '../core/register.js';
import { RegisterTokensResponse } from '../gen/introspectd/v1/token_registry_service.js';
import type { Audit, AuditDetails } from '../telemetry/audit.js';
import { checkBatchSize } from './batch-size.js';
import type { GrpcLimits } from './limits.js';
import { needs, type Settlement, type UnaryMethod } from './method.js';
import { decodeRegisterEntries, parseRegisterItems, type RegisterEntries } from './register-items.js';
import { type Outcomes, toRegisterResults } from './register-results.js';
import { toCodeName } from './status.js';
import type { UnaryAdapter } from './unary.js';

export interface RegistryServiceDeps {
  readonly register: Register;
  readonly limits: Pick<GrpcLimits, 'registerItems' | 'tokenBytes' | 'claimsBytes'>;
  readonly audit: Audit;
  readonly adapters: { readonly unary: UnaryAdapter; readonly importTokens: handleBidiStreamingCall<Buffer, Buffer> };
}

export function createRegistryService(deps: RegistryServiceDeps): UntypedServiceImplementation {
  const { unary, importTokens } = deps.adapters;
  return {
    registerTokens: unary(createRegisterMethod(deps)),
    importTokens,
  };
}

function createRegisterMethod({
  register,
  limits,
  audit,
}: RegistryServiceDeps): UnaryMethod<RegisterEntries, Outcomes> {
  return {
    name: 'RegisterTokens',
    authorize: needs('register'),
    decode: decodeRegisterEntries,
    handle: async ({ caller, request }) => {
      checkBatchSize(request.entries.length, limits.registerItems);
      return register.many(caller, parseRegisterItems(request, limits));
    },
    encode: encodeOutcomes,
    record: {
      describe: ({ entries }) => ({ count: entries.length }),
      audit: (settlement) => {
        audit.write({
          action: 'register',
          caller: settlement.caller?.name,
          requestId: settlement.requestId,
          code: toCodeName(settlement.error),
          details: toAuditDetails(settlement),
        });
      },
    },
  };
}

function encodeOutcomes(outcomes: Outcomes): Buffer {
  return Buffer.from(RegisterTokensResponse.encode({ results: toRegisterResults(outcomes) }).finish());
}

function toAuditDetails({ caller, request, result }: Settlement<RegisterEntries, Outcomes>): AuditDetails {
  if (request === undefined) return {};
  const issuers = new Set(request.entries.map(({ claims }) => claims?.iss ?? ''));
  const [iss] = issuers;
  return {
    kind: 'token',
    // One of the caller's own, where all entries agree: anything else is text that nobody vouches for.
    iss: issuers.size === 1 && iss !== undefined && caller?.issuers.has(iss) ? iss : undefined,
    count: request.entries.length,
    refused: result?.filter((error) => error !== undefined).length,
  };
}
