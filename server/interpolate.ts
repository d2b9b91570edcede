/** `${NAME}` and `${NAME:-default}` in the texts of a file, as NAT has them; `$${` is a plain `${`. */

export type Variables = Readonly<Record<string, string | undefined>>;

export type Interpolated = { readonly text: string; readonly problem?: string };

const reference = /\$\$\{|\$\{(?:(?<name>[A-Za-z_]\w*)(?::-(?<fallback>[^}]*))?\})?/g;

export const written = (inside: string): string => `\${${inside}}`;

/** The default counts for a variable that is unset or empty. Says what is wrong without any value. */
export const interpolate = (given: string, variables: Variables): Interpolated => {
  let problem: string | undefined;
  const text = given.replace(reference, (found, ...rest) => {
    if (found === '$${') return '${';
    const { name, fallback } = rest.at(-1) as { name?: string; fallback?: string };
    if (name === undefined) {
      problem ??= `a variable is written ${written('NAME')} or ${written('NAME:-default')}`;
      return '';
    }
    const value = variables[name];
    if (value === undefined && fallback === undefined) {
      problem ??= `the variable ${name} is not set; ${written(`${name}:-...`)} gives a default`;
    }
    return fallback === undefined ? (value ?? '') : value || fallback;
  });
  return problem === undefined ? { text } : { text, problem };
};
