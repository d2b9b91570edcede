/** The facts of an execution in order, with the time between them. */
import { useState } from 'preact/hooks';
import { isDroppable } from '../../../machines/fact-table.ts';
import type { JournalEntry } from '../../../machines/facts.ts';
import type { Path } from '../path.ts';
import { clockTime, dateTime, describeFact, duration, toneOf } from '../words.ts';
import { Since } from './bits.tsx';
import { Json } from './json.tsx';

/** Consecutive facts of one kind, shown as one entry. */
type Row = { readonly entry: JournalEntry; readonly last: JournalEntry; readonly count: number };

const rowsOf = (entries: readonly JournalEntry[]): Row[] => {
  const rows: Row[] = [];
  for (const entry of entries) {
    const before = rows.at(-1);
    if (before?.entry.type === entry.type && isDroppable(entry)) {
      rows[rows.length - 1] = { entry: before.entry, last: entry, count: before.count + 1 };
    } else rows.push({ entry, last: entry, count: 1 });
  }
  return rows;
};

const MOST = 100;

export const Timeline = ({ entries, path }: { entries: readonly JournalEntry[]; path: Path }) => {
  const [isWhole, setWhole] = useState(false);
  const rows = rowsOf(entries);
  const left = isWhole ? 0 : Math.max(0, rows.length - MOST);
  const last = entries.at(-1);
  const steps = new Map(entries.flatMap((entry) => (entry.type === 'step.started' ? [[entry.call, entry.name]] : [])));
  return (
    <>
      {left > 0 && (
        <button type="button" class="quiet" onClick={() => setWhole(true)}>
          Show {left} earlier facts
        </button>
      )}
      <ol class="timeline">
        {rows.slice(left).map((row, index) => (
          <Fact
            key={row.entry.seq}
            row={row}
            steps={steps}
            before={rows[left + index - 1]?.last}
            reached={path.reached.get(row.entry.seq)}
          />
        ))}
        {path.context.settledAt === null && last !== undefined && (
          <li class="pending">
            <span class="dot" />
            <p>
              <span class="muted">
                for <Since at={last.at} /> now
              </span>
            </p>
          </li>
        )}
      </ol>
    </>
  );
};

type FactProps = {
  readonly steps: ReadonlyMap<number, string>;
  readonly row: Row;
  readonly before: JournalEntry | undefined;
  readonly reached: string | undefined;
};

const Fact = ({ row: { entry, count }, steps, before, reached }: FactProps) => {
  const { title, more } = describeFact(entry, steps);
  const { seq, type, at, ...rest } = entry;
  const gap = before === undefined ? undefined : at - before.at;
  return (
    <li class={toneOf(entry)}>
      {gap !== undefined && gap >= 1000 && <span class="gap">{duration(gap)}</span>}
      <span class="dot" />
      <details>
        <summary>
          <span class="what">
            <strong>{count > 1 ? `${title} × ${count}` : title}</strong>
            {more !== undefined && count === 1 && <span class="more">{more}</span>}
          </span>
          {reached !== undefined && <span class="reached">{reached.split('.').at(-1)}</span>}
          <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
            {gap === undefined || gap >= 1000 ? clockTime(at) : `+${duration(gap)}`}
          </time>
        </summary>
        <p class="muted">
          <code>{type}</code>, fact {seq}, {dateTime(at)}
        </p>
        {Object.keys(rest).length > 0 && <Json value={rest} label={`Fact ${seq}`} />}
      </details>
    </li>
  );
};
