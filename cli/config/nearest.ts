/** For "did you mean": the most similar known name. */

/** The known name with the fewest typing errors, if there are few enough. */
export const nearest = (name: string, known: Iterable<string>): string | undefined => {
  const plain = plainOf(name);
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const other = plainOf(candidate);
    const limit = best?.distance ?? allowed(candidate);
    const distance = Math.abs(plain.length - other.length) < limit ? distanceOf(plain, other) : limit;
    if (distance < limit) best = { name: candidate, distance };
  }
  return best?.name;
};

/** Longer names are not compared, because it takes too long. */
const plainOf = (name: string): string => name.slice(0, 64).toLowerCase().replace(/[-_]/g, '');

const allowed = (name: string): number => Math.max(2, Math.ceil(name.length / 3));

/** Insertions, deletions, substitutions, and swapped neighbours each count as one typing error. */
const distanceOf = (one: string, other: string): number => {
  let twoAbove: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const ways = [above[column - 1]! + (isSame ? 0 : 1), above[column]! + 1, line[column - 1]! + 1];
      line.push(Math.min(...ways, isSwapped ? twoAbove[column - 2]! + 1 : Number.POSITIVE_INFINITY));
    }
    [twoAbove, above] = [above, line];
  }
  return above[other.length]!;
};

export const orMeant = (name: string | undefined): string => (name === undefined ? '' : `, did you mean ${name}?`);
