// The one thing we must know of a certificate revocation list and node:tls does not say: when it is out of date.
import { Buffer } from 'node:buffer';

// DER (X.690 §8): a tag, a length, a value. RFC 5280 §5.1:
// CertificateList { tbsCertList { version?, signature, issuer, thisUpdate, nextUpdate?, ... }, ... }
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

interface Element {
  readonly tag: number;
  readonly value: Buffer;
  readonly rest: Buffer;
}

/** Of one PEM block; undefined = it names no next update. */
export function readCrlNextUpdate(pem: string): Date | 'unreadable' | undefined {
  try {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
    const list = expect(readElement(der), SEQUENCE);
    let element = readElement(expect(readElement(list.value), SEQUENCE).value);
    if (element.tag === INTEGER) element = readElement(element.rest);
    const issuer = expect(readElement(expect(element, SEQUENCE).rest), SEQUENCE);
    const thisUpdate = readElement(issuer.rest);
    if (parseTime(thisUpdate) === undefined) return 'unreadable';
    return thisUpdate.rest.length === 0 ? undefined : parseTime(readElement(thisUpdate.rest));
  } catch {
    return 'unreadable';
  }
}

function readElement(der: Buffer): Element {
  const first = der.readUInt8(1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : der.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (start + length > der.length) throw new RangeError('a DER element is longer than what holds it');
  return { tag: der.readUInt8(0), value: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

function expect(element: Element, tag: number): Element {
  if (element.tag !== tag) throw new RangeError('not the DER element that was expected');
  return element;
}

/** RFC 5280 §5.1.2.4: always in Zulu, with seconds. Undefined when the element is no time. */
function parseTime({ tag, value }: Element): Date | undefined {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) return undefined;
  const text = value.toString('latin1');
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on are of the 20th century.
  const century = tag === GENERALIZED_TIME ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19';
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text) ?? [];
  if (year === undefined) throw new RangeError('a time of a form that RFC 5280 does not allow');
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
