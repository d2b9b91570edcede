/** Durations for people, in their two largest units. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** `3 d 4 h`, `1 min`, `12 ms`. A negative duration is `0 ms`. */
export const spell = (ms: number): string => {
  const whole = Math.max(0, Math.round(ms));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first < 0) return '0 ms';
  const [[unit, size], next] = [UNITS[first]!, UNITS[first + 1]];
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1]);
  const count = `${Math.floor(whole / size)} ${unit}`;
  return rest === 0 || next === undefined ? count : `${count} ${rest} ${next[0]}`;
};
