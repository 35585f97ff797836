import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

// Fields of RegisterTokensRequest, TokenEntry, TokenClaims and Confirmation on the way to the members of cnf.
const ENTRIES = 1;
const CLAIMS = 3;
const CNF = 12;
const CONFIRMATION_MEMBERS: ReadonlySet<number> = new Set([1, 2]);

/**
 * Which entries of a RegisterTokensRequest bind their token to a key in a way that TokenClaims does not type. The
 * generated decoder drops such members, and the token would be told to be bound to less than its issuer said.
 * Throws on bytes that are no message.
 */
export function findUntypedConfirmations(request: Uint8Array): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [index, entry] of [...submessages(request, ENTRIES)].entries()) {
    if (hasUntypedConfirmation(entry)) found.add(index);
  }
  return found;
}

/** The same of one TokenEntry. */
export function hasUntypedConfirmation(entry: Uint8Array): boolean {
  for (const claims of submessages(entry, CLAIMS)) {
    for (const cnf of submessages(claims, CNF)) {
      if (hasOtherMembers(cnf)) return true;
    }
  }
  return false;
}

function* submessages(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) yield reader.bytes();
    else reader.skip(wireType, field);
  }
}

function hasOtherMembers(cnf: Uint8Array): boolean {
  const reader = new BinaryReader(cnf);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!CONFIRMATION_MEMBERS.has(field) || wireType !== WireType.LengthDelimited) return true;
    reader.skip(wireType, field);
  }
  return false;
}
