/**
 * Replaces variables in the text of a file before it is parsed as YAML, as NAT does: `${NAME}`, `${NAME:-default}`, and
 * `$NAME` if the variable is set. So a variable may contain a list or a map, and a default may have quotes. `$${` is a
 * literal `${`; comments are unchanged.
 */

export type Variables = Readonly<Record<string, string | undefined>>;

/** A replacement and its place: `start` and `end` in the new text, `from` and `to` in the old one. */
export interface Insertion {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
  /** The problem, without a value. It is reported only if a setting needs it, because parts of a file may be unused. */
  readonly problem: string | undefined;
}

export interface Expanded {
  readonly text: string;
  readonly insertions: readonly Insertion[];
}

const reference =
  /^[ \t]*#.*$|\$\$\{|\$\{(?:(?<name>[A-Za-z_]\w*)(?::-(?<fallback>[^}\n]*))?\})?|\$(?<bare>[A-Za-z_]\w*)/gm;

export const written = (inside: string): string => `\${${inside}}`;

export const expand = (given: string, variables: Variables): Expanded => {
  const insertions: Insertion[] = [];
  let text = '';
  let seen = 0;
  for (const match of given.matchAll(reference)) {
    const value = valueFor(match, variables);
    if (value === undefined) continue;
    text += given.slice(seen, match.index);
    seen = match.index + match[0].length;
    const start = text.length;
    text += value.text;
    insertions.push({ start, end: text.length, from: match.index, to: seen, problem: value.problem });
  }
  return { text: text + given.slice(seen), insertions };
};

/** Undefined for text that stays unchanged. The default applies to a variable that is unset or empty. */
const valueFor = (
  { 0: found, groups = {} }: RegExpMatchArray,
  variables: Variables,
): { text: string; problem?: string } | undefined => {
  const { name, fallback, bare } = groups;
  if (found === '$${') return { text: '${' };
  if (bare !== undefined) return variables[bare] === undefined ? undefined : { text: variables[bare] };
  if (!found.startsWith('$')) return undefined;
  if (name === undefined) {
    return { text: '', problem: `a variable is written ${written('NAME')} or ${written('NAME:-default')}` };
  }
  const value = variables[name];
  if (fallback !== undefined) return { text: value || fallback };
  if (value !== undefined) return { text: value };
  return { text: '', problem: `the variable ${name} is not set; ${written(`${name}:-...`)} gives a default` };
};
