const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/;

/** RFC 3339 in UTC, "2027-01-01T00:00:00Z" -> milliseconds since the epoch; undefined for anything else. */
export function parseInstantMs(text: string): number | undefined {
  const instantMs = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // JavaScript takes the 31st of June for the 1st of July.
  const isReal = !Number.isNaN(instantMs) && new Date(instantMs).toISOString().slice(0, 19) === text.slice(0, 19);
  return isReal ? instantMs : undefined;
}
