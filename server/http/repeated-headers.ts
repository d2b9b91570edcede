/** Which headers came more than once in a request: joined, one value and two cannot be told apart. */

const repeated = new WeakMap<object, Set<string>>();

export const noteRepeated = (headers: object, name: string): void => {
  const names = repeated.get(headers);
  if (names === undefined) repeated.set(headers, new Set([name]));
  else names.add(name);
};

/** `headers` is the object that was made from the request, not a copy of it. */
export const isRepeated = (headers: object, name: string): boolean => repeated.get(headers)?.has(name) === true;
