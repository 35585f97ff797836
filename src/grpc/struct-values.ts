// google.protobuf.Struct as ts-proto decodes it: plain objects and arrays. What may be stored of one, and its one order.

export type StructValue = { readonly [key: string]: unknown };

/**
 * Levels of objects and arrays in one claim. Each costs up to three of the 100 levels of messages that protobuf readers
 * allow, and a batch response puts five more around them: what was registered must be readable in every answer.
 */
const MAX_DEPTH = 20;

/** What is wrong with it, or undefined. */
export function findStructFault(value: unknown, depth = 1): string | undefined {
  // A list element that set no kind is decoded to this.
  if (value === undefined) return 'has a value without a kind';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'has a number that is not finite';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > MAX_DEPTH) return `is more than ${MAX_DEPTH} levels deep`;
  for (const inner of Object.values(value)) {
    const fault = findStructFault(inner, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The same with its keys in order, so that equal claims are equal bytes. */
export function sortStruct(value: StructValue): StructValue {
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) sorted[key] = sortValue(value[key]);
  return sorted;
}

function sortValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortValue);
  return typeof value === 'object' && value !== null ? sortStruct(value as StructValue) : value;
}
