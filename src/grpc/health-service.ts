// grpc.health.v1 for every caller that the policy knows: SERVING while the store can be trusted.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../gen/grpc/health/v1/health.js';
import type { ServerStreamMethod, UnaryMethod } from './method.js';
import type { Readiness } from './readiness.js';
import type { ServerStreamAdapter } from './server-stream.js';
import { UnknownServiceError } from './status.js';
import type { UnaryAdapter } from './unary.js';
import { createWireReader } from './wire-reader.js';

export interface HealthServiceDeps {
  readonly readiness: Readiness;
  readonly adapters: { readonly unary: UnaryAdapter; readonly serverStream: ServerStreamAdapter };
}

/** "" is the server as a whole. They are served together or not at all. */
const SERVICES: readonly string[] = ['', 'introspectd.v1.IntrospectionService', 'introspectd.v1.TokenRegistryService'];

export function createHealthService({ readiness, adapters }: HealthServiceDeps): UntypedServiceImplementation {
  return {
    check: adapters.unary(createCheckMethod(readiness)),
    list: adapters.unary(createListMethod(readiness)),
    watch: adapters.serverStream(createWatchMethod(readiness)),
  };
}

function createCheckMethod(readiness: Readiness): UnaryMethod<HealthCheckRequest, HealthCheckResponse> {
  return {
    name: 'Health.Check',
    authorize: allowAnyCaller,
    decode: (bytes) => HealthCheckRequest.decode(createWireReader(bytes)),
    handle: async ({ request }) => {
      const status = toStatus(readiness, request.service);
      if (status === ServingStatus.SERVICE_UNKNOWN) throw new UnknownServiceError();
      return { status };
    },
    encode: encodeStatus,
    record: { describe: () => ({}) },
  };
}

function createListMethod(readiness: Readiness): UnaryMethod<HealthListRequest, HealthListResponse> {
  return {
    name: 'Health.List',
    authorize: allowAnyCaller,
    decode: (bytes) => HealthListRequest.decode(createWireReader(bytes)),
    handle: async () => ({
      statuses: Object.fromEntries(SERVICES.map((service) => [service, { status: toStatus(readiness, service) }])),
    }),
    encode: (response) => Buffer.from(HealthListResponse.encode(response).finish()),
    record: { describe: () => ({}) },
  };
}

function createWatchMethod(readiness: Readiness): ServerStreamMethod<HealthCheckRequest> {
  return {
    name: 'Health.Watch',
    authorize: allowAnyCaller,
    decode: (bytes) => HealthCheckRequest.decode(createWireReader(bytes)),
    handle: async function* ({ request, signal }) {
      let told: ServingStatus | undefined;
      while (!signal.aborted) {
        const status = toStatus(readiness, request.service);
        if (status === told) await readiness.nextChange(signal);
        else {
          told = status;
          yield encodeStatus({ status });
        }
      }
    },
  };
}

function toStatus(readiness: Readiness, service: string): ServingStatus {
  if (!SERVICES.includes(service)) return ServingStatus.SERVICE_UNKNOWN;
  return readiness.state() === 'ready' ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

function encodeStatus(response: HealthCheckResponse): Buffer {
  return Buffer.from(HealthCheckResponse.encode(response).finish());
}

/** It says nothing that the policy would have to give: that the caller is in it is enough. */
function allowAnyCaller(): void {
  return;
}
