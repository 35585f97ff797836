// grpc.reflection, v1 and v1alpha, whose messages are the same on the wire: what is served, for every caller that the
// policy knows. Ours, because @grpc/reflection 1.0.4 drops the imports of files (grpc-node #3018, #3034).
import { status as Code, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { ServerReflectionRequest, ServerReflectionResponse } from '../gen/grpc/reflection/v1/reflection.js';
import type { BidiMethod, BidiStreamAdapter } from './bidi-stream.js';
import type { ReflectionIndex } from './reflection-index.js';
import { createWireReader } from './wire-reader.js';

export interface ReflectionServiceDeps {
  readonly index: ReflectionIndex;
  /** Full names. */
  readonly services: readonly string[];
  readonly adapt: BidiStreamAdapter;
}

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

const NOT_FOUND: Answer = {
  $case: 'errorResponse',
  value: { errorCode: Code.NOT_FOUND, errorMessage: 'the descriptors have nothing of that name' },
};
const INVALID: Answer = {
  $case: 'errorResponse',
  value: { errorCode: Code.INVALID_ARGUMENT, errorMessage: 'message_request is required' },
};

export function createReflectionService(deps: ReflectionServiceDeps): UntypedServiceImplementation {
  return { serverReflectionInfo: deps.adapt(createInfoMethod(deps)) };
}

function createInfoMethod({ index, services }: ReflectionServiceDeps): BidiMethod<ServerReflectionRequest> {
  return {
    name: 'ServerReflection.ServerReflectionInfo',
    // It says what is public: the protos are published. That the policy knows the caller is enough, as for health.
    authorize: () => undefined,
    decode: (bytes) => ServerReflectionRequest.decode(createWireReader(bytes)),
    answer: (request) => {
      const messageResponse = findAnswer(request, index, services);
      const response = { validHost: request.host, originalRequest: request, messageResponse };
      return Buffer.from(ServerReflectionResponse.encode(response).finish());
    },
  };
}

function findAnswer({ messageRequest }: ServerReflectionRequest, index: ReflectionIndex, services: readonly string[]) {
  switch (messageRequest?.$case) {
    case 'fileByFilename':
      return toFiles(index.findFile(messageRequest.value));
    case 'fileContainingSymbol':
      return toFiles(index.findSymbol(messageRequest.value));
    case 'fileContainingExtension':
      return toFiles(index.findExtension(messageRequest.value.containingType, messageRequest.value.extensionNumber));
    case 'allExtensionNumbersOfType':
      return toExtensionNumbers(messageRequest.value, index);
    case 'listServices': {
      const service = services.map((name) => ({ name }));
      return { $case: 'listServicesResponse', value: { service } } satisfies Answer;
    }
    default:
      return INVALID;
  }
}

function toFiles(files: readonly Uint8Array[] | undefined): Answer {
  if (files === undefined) return NOT_FOUND;
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: files.map((file) => Buffer.from(file)) } };
}

function toExtensionNumbers(baseTypeName: string, index: ReflectionIndex): Answer {
  const numbers = index.findExtensionNumbers(baseTypeName);
  if (numbers === undefined) return NOT_FOUND;
  return { $case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber: [...numbers] } };
}
