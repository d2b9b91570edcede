/** Durations in NAT's forms: ISO 8601 (`PT30M`), `HH:MM:SS`, or a number of seconds. */

const secondMs = 1_000;
const unitsMs = { w: 604_800 * secondMs, d: 86_400 * secondMs, h: 3_600 * secondMs, m: 60 * secondMs, s: secondMs };
type Unit = keyof typeof unitsMs;

const decimal = String.raw`\d+(?:\.\d+)?`;
const isoPart = (unit: Unit): string => `(?:(?<${unit}>${decimal})${unit})?`;
const forms = [
  new RegExp(`^(?<s>${decimal})$`),
  /^(?<h>\d+):(?<m>[0-5]\d):(?<s>[0-5]\d(?:\.\d+)?)$/,
  new RegExp(`^p(?!$)${isoPart('w')}${isoPart('d')}(?:t(?!$)${isoPart('h')}${isoPart('m')}${isoPart('s')})?$`, 'i'),
];

/** A hundred years, to stay below the maximum of a JavaScript date. */
const maxMs = 36_500 * unitsMs.d;

/** Milliseconds; undefined for an invalid duration. Years and months are invalid, because their length varies. */
export const parseDuration = (given: string | number): number | undefined => {
  const text = String(given);
  const form = forms.find((candidate) => candidate.test(text));
  if (form === undefined) return undefined;
  const parts = Object.entries(form.exec(text)?.groups ?? {});
  const ms = Math.round(parts.reduce((sum, [unit, count = '0']) => sum + Number(count) * unitsMs[unit as Unit], 0));
  return ms <= maxMs ? ms : undefined;
};

/** The shortest ISO 8601 form: `PT10M`, `P7D`. */
export const formatDuration = (ms: number): string => {
  let rest = ms;
  const parts = (['d', 'h', 'm'] as const).map((unit) => {
    const count = Math.floor(rest / unitsMs[unit]);
    rest -= count * unitsMs[unit];
    return count === 0 ? '' : `${count}${unit.toUpperCase()}`;
  });
  const [days, ...clock] = [...parts, rest === 0 ? '' : `${rest / secondMs}S`];
  const time = clock.join('');
  if (days === '' && time === '') return 'PT0S';
  return `P${days}${time === '' ? '' : `T${time}`}`;
};
