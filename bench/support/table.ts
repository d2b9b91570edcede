/** One line of a result: the measurement, our value, the control's value, and the goal. */
export type Row = {
  readonly what: string;
  readonly ours: string;
  readonly control: string;
  readonly ratio: string;
  readonly target: string;
};

const columns = ['what', 'ours', 'control', 'ratio', 'target'] as const satisfies readonly (keyof Row)[];

export const table = (rows: readonly Row[]): string => {
  const head = Object.fromEntries(columns.map((name) => [name, name])) as Row;
  const widths = columns.map((name) => Math.max(...[head, ...rows].map((row) => row[name].length)));
  return [head, ...rows]
    .map((row) =>
      columns
        .map((name, i) => row[name].padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
