/**
 * The cookies of a request, as NAT reads them: quotes are removed, percent signs stay, and the last of two with one
 * name counts.
 */

export const readCookies = (header = ''): Readonly<Record<string, string>> => {
  const cookies = new Map<string, string>();
  for (const [name, value] of cookiePairs(header)) cookies.set(name, value);
  return Object.fromEntries(cookies);
};

/** One cookie, without an object of all; undefined if it is missing. */
export const readCookie = (header: string | undefined, wanted: string): string | undefined => {
  if (header === undefined || !header.includes(wanted)) return undefined;
  let found: string | undefined;
  for (const [name, value] of cookiePairs(header)) if (name === wanted) found = value;
  return found;
};

function* cookiePairs(header: string): Generator<[name: string, value: string]> {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals >= 0) yield [pair.slice(0, equals).trim(), unquoted(pair.slice(equals + 1).trim())];
  }
}

const unquoted = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value
        .slice(1, -1)
        .replace(/\\([0-3][0-7]{2}|.)/g, (_, mark: string) =>
          mark.length === 3 ? String.fromCharCode(Number.parseInt(mark, 8)) : mark,
        )
    : value;
