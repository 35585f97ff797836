// Texts that records have in common, issuers and audiences, as one string each: to make them anew for every record, and to
// hash each for the sets of a policy, was a tenth of a batch's time (docs/adr/0028).

/** The text of these bytes, UTF-8. */
export type InternedText = (bytes: Buffer, start: number, end: number) => string;

interface Known {
  readonly bytes: Buffer;
  readonly text: string;
}

/** Beyond these, texts take the places of others: nobody can make it grow. */
const PLACES = 256;
const LONGEST_BYTES = 256;

export function createInternedText(): InternedText {
  const places: (Known | undefined)[] = new Array(PLACES).fill(undefined);
  return (bytes, start, end) => {
    const length = end - start;
    if (length === 0) return '';
    if (length > LONGEST_BYTES) return bytes.toString('utf8', start, end);
    const place = findPlace(bytes, start, end);
    const known = places[place];
    if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.text;
    const made = { bytes: Buffer.from(bytes.subarray(start, end)), text: bytes.toString('utf8', start, end) };
    places[place] = made;
    return made.text;
  };
}

function findPlace(bytes: Buffer, start: number, end: number): number {
  let sum = end - start;
  for (let at = start; at < end; at++) sum = (Math.imul(sum, 31) + (bytes[at] ?? 0)) | 0;
  return (sum ^ (sum >>> 16)) & (PLACES - 1);
}

function isSame(known: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
