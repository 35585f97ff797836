// google.rpc.Status and its details, as a server puts them into grpc-status-details-bin.
import { Metadata } from '@grpc/grpc-js';
import type { Any } from '@introspectd/client/gen/google/protobuf/any';
import { BadRequest, ErrorInfo, RetryInfo } from '@introspectd/client/gen/google/rpc/error_details';
import type { Status } from '@introspectd/client/gen/google/rpc/status';

const TYPE_URL = 'type.googleapis.com/google.rpc.';

export function errorInfo(reason: string, domain = 'introspectd'): Any {
  const value = ErrorInfo.encode({ reason, domain, metadata: {} }).finish();
  return { typeUrl: `${TYPE_URL}ErrorInfo`, value: Buffer.from(value) };
}

export function retryInfo(seconds: number, nanos: number): Any {
  const value = RetryInfo.encode({ retryDelay: { seconds: BigInt(seconds), nanos } }).finish();
  return { typeUrl: `${TYPE_URL}RetryInfo`, value: Buffer.from(value) };
}

export function badRequest(field: string, description: string): Any {
  const fieldViolations = [{ field, description, reason: '', localizedMessage: undefined }];
  return { typeUrl: `${TYPE_URL}BadRequest`, value: Buffer.from(BadRequest.encode({ fieldViolations }).finish()) };
}

export function rpcStatus(code: number, message: string, details: Any[]): Status {
  return { code, message, details };
}

export function detailsMetadata(bytes: Uint8Array): Metadata {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return metadata;
}
