// What a log may say of a thrown thing: its name and code. Its message and stack may hold a token or a key.
import { IntrospectdError, StoreUnavailable } from '../core/errors.js';
import type { LogFields } from './logger.js';

const WORD = /^[A-Za-z0-9_.:-]{1,64}$/;

export function toSafeFields(error: unknown): LogFields {
  if (error === undefined) return {};
  if (error instanceof StoreUnavailable) return { reason: error.reason, detail: error.detail, ...toNames(error.cause) };
  if (error instanceof IntrospectdError) return { reason: error.reason };
  return toNames(error);
}

function toNames(error: unknown): LogFields {
  if (typeof error !== 'object' || error === null) return error === undefined ? {} : { error: typeof error };
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return { error: toWord(name) ?? 'object', error_code: toWord(code) };
}

function toWord(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && WORD.test(text) ? text : undefined;
}
