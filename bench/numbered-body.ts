// A framed request with numbers in it that change from call to call, at the price of a copy and no encoding.

/** Stands where a number goes. */
export const NUMBER_SLOT = '0000000000';

export interface Numbering {
  /** How many slots in a row get the same number: those of one token. */
  readonly slotsPerNumber: number;
  readonly first: number;
  /** Numbers are first + (n * stride mod size), n = 0, 1, 2, ... */
  readonly stride: number;
  readonly size: number;
}

/** The next request, with fresh numbers. */
export type NextBody = () => Buffer;

export function createNumberedBody(frame: Buffer, numbering: Numbering): NextBody {
  const { slotsPerNumber, first, stride, size } = numbering;
  const slots = findSlots(frame);
  let counter = 0;
  let text = '';
  return () => {
    const body = Buffer.from(frame);
    for (const [index, offset] of slots.entries()) {
      if (index % slotsPerNumber === 0) text = formatNumber(first + ((counter++ * stride) % size));
      body.write(text, offset, 'latin1');
    }
    return body;
  };
}

export function formatNumber(number: number): string {
  return String(number).padStart(NUMBER_SLOT.length, '0');
}

function findSlots(frame: Buffer): readonly number[] {
  const slots: number[] = [];
  for (let at = frame.indexOf(NUMBER_SLOT); at !== -1; at = frame.indexOf(NUMBER_SLOT, at + NUMBER_SLOT.length)) {
    slots.push(at);
  }
  return slots;
}
