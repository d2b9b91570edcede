/** Which headers were repeated: after joining, one value cannot be distinguished from two. */

const repeated = new WeakMap<object, Set<string>>();

export const noteRepeated = (headers: object, name: string): void => {
  const names = repeated.get(headers);
  if (names === undefined) repeated.set(headers, new Set([name]));
  else names.add(name);
};

/** `headers` is the object made from the request, not a copy. */
export const isRepeated = (headers: object, name: string): boolean => repeated.get(headers)?.has(name) === true;
