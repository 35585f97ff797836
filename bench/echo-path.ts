/** The method of the echo server that answers with a message of so many bytes. */
export function toEchoPath(answerBytes: number): string {
  return `/bench.Echo/Bytes${answerBytes}`;
}
