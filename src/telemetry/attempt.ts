/** For what is told about work and must not hold the work back: a record or a number that fails is lost. */
export function attempt(tell: () => void): void {
  try {
    tell();
  } catch {
    return;
  }
}
