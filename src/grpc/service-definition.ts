import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

type GeneratedMethod = Pick<MethodDefinition<never, never>, 'path' | 'requestStream' | 'responseStream'>;

/**
 * A generated service whose messages are bytes to grpc-js. Requests are decoded by the adapters, once the caller is
 * known, and a fault in them gets a status of ours; answers come encoded.
 */
export function toBytesService(
  generated: Readonly<Record<string, GeneratedMethod>>,
): ServiceDefinition<UntypedServiceImplementation> {
  return Object.fromEntries(
    Object.entries(generated).map(([name, { path, requestStream, responseStream }]) => [
      name,
      {
        path,
        requestStream,
        responseStream,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}

/** "package.Service". */
export function toServiceName(generated: Readonly<Record<string, GeneratedMethod>>): string {
  return Object.values(generated)[0]?.path.split('/')[1] ?? '';
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
