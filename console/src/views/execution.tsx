/** One execution: its state and path, its open prompts, its input and its output. */
import { useMemo, useState } from 'preact/hooks';
import { type JournalEntry, type Pause, shownDueAt } from '../../../machines/facts.ts';
import { voidIn } from '../../../machines/void-facts.ts';
import { chartOf } from '../chart.ts';
import { type LiveJournal, useJournal } from '../live.ts';
import { Card, Copy, Countdown, Empty, Mistake, Owner, Since, Status } from '../parts/bits.tsx';
import { BlockedCard } from '../parts/blocked.tsx';
import { Json } from '../parts/json.tsx';
import { ConsentLink, PromptForm } from '../parts/prompt-form.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { type Path, Walk } from '../path.ts';
import { hrefOf } from '../route.ts';
import { api, isShutOut, messageOf } from '../state.ts';
import { dateTime, duration, standingAt, waitsFor } from '../words.ts';

export const Execution = ({ id }: { id: string }) => {
  const journal = useJournal(id);
  const walk = useMemo(() => new Walk(id), [id]);
  const path = useMemo(() => walk.through(journal.entries), [walk, journal]);
  return (
    <>
      <a class="back" href={hrefOf('executions')}>
        ← Executions
      </a>
      {path === undefined ? (
        journal.isGone && (
          <Empty title="There is no such execution">It may have been deleted at the end of its retention.</Empty>
        )
      ) : (
        <Known id={id} journal={journal} path={path} />
      )}
    </>
  );
};

type Props = { readonly id: string; readonly journal: LiveJournal; readonly path: Path };

const Known = ({ id, journal, path }: Props) => {
  const { entries } = journal;
  const { context, active } = path;
  const { pauses, settledAt, startedAt, owner, workflow, blocked } = context;
  return (
    <>
      <header class="top">
        <div>
          <h1>
            {workflow} <Status of={standingAt(active, context)} />
          </h1>
          <p class="facts">
            <span>
              <code>{id}</code> <Copy text={id} label="Copy the id" />
            </span>
            <span>
              by <Owner id={owner} />
            </span>
            <time dateTime={new Date(startedAt).toISOString()}>{dateTime(startedAt)}</time>
            <span>
              {settledAt === null ? (
                <>
                  for <Since at={startedAt} />
                </>
              ) : (
                `took ${duration(settledAt - startedAt)}`
              )}
            </span>
          </p>
        </div>
        {settledAt === null && blocked === null && !journal.isGone && <Cancel id={id} />}
      </header>
      {journal.isGone && (
        <Mistake text="The server does not know this execution any more; this is the last that was seen of it." />
      )}
      <div class="columns">
        <div class="stack">
          {blocked !== null && !journal.isGone && (
            <BlockedCard id={id} blocked={blocked}>
              <Cancel id={id} />
            </BlockedCard>
          )}
          {pauses.length > 0 && !journal.isGone && <Waiting id={id} pauses={pauses} />}
          <Outcome path={path} entries={entries} />
          <Input entry={entries[0]} />
          <Card title="Timeline" aside={<span class="count">{entries.length} facts</span>}>
            {journal.truncatedThrough > 0 && <p class="hint">Older output is no longer in the journal.</p>}
            <Timeline entries={entries} path={path} />
          </Card>
        </div>
        <div class="stack">
          <Chart path={path} />
        </div>
      </div>
    </>
  );
};

const Waiting = ({ id, pauses }: { id: string; pauses: readonly Pause[] }) => (
  <Card
    title="Waits for"
    class="waiting"
    aside={pauses.length > 1 && <span class="count">{pauses.length} things</span>}
  >
    {pauses.map((pause) => (
      <div key={pause.id} class="pause">
        <Needed id={id} pause={pause} />
        <p class="hint">
          for <Since at={pause.openedAt} /> now ·{' '}
          {pause.dueAt === null ? 'no deadline of its own' : <Countdown until={shownDueAt(pause)!} />}
        </p>
      </div>
    ))}
  </Card>
);

const Needed = ({ id, pause }: { id: string; pause: Pause }) => {
  if (pause.kind === 'interaction')
    return <PromptForm key={pause.id} executionId={id} id={pause.id} prompt={pause.prompt} />;
  if (pause.kind === 'oauth') return <ConsentLink url={pause.authUrl} provider={pause.provider} />;
  return <p class="question">{waitsFor(pause)}</p>;
};

const Outcome = ({ path: { context }, entries }: { path: Path; entries: readonly JournalEntry[] }) => {
  const { error, result, settledAt } = context;
  const voids = voidIn(entries);
  const pieces = entries.flatMap((entry) =>
    entry.type === 'output.emitted' && voids?.has(entry) !== true ? [entry.value] : [],
  );
  if (settledAt === null && pieces.length === 0) return null;
  const isText = pieces.every((piece) => typeof piece === 'string');
  return (
    <Card
      title={error === null ? 'Output' : error.code === 'cancelled' ? 'Cancelled' : 'Failed'}
      class={error === null || error.code === 'cancelled' ? '' : 'failure'}
      aside={
        settledAt !== null && error === null && <Copy text={JSON.stringify(result, null, 2)} label="Copy the output" />
      }
    >
      {pieces.length > 0 &&
        (isText ? <pre class="streamed">{pieces.join('')}</pre> : <Json value={pieces} label="Output as it came" />)}
      {error !== null && (
        <p>
          {error.message || error.name} <code>{error.code}</code>
        </p>
      )}
      {settledAt !== null && error === null && <Json value={result} label="Result" />}
    </Card>
  );
};

const Chart = ({ path: { active, taken } }: { path: Path }) => {
  const svg = useMemo(() => chartOf({ active, taken }), [active, taken.length]);
  return (
    <Card title="Where it stands" aside={<code class="count">{active.split('.').join(' › ')}</code>} class="chart">
      {/* The drawing escapes all text of others. */}
      <div dangerouslySetInnerHTML={{ __html: svg }} />
    </Card>
  );
};

const Input = ({ entry }: { entry: JournalEntry | undefined }) =>
  entry?.type === 'execution.started' && entry.input !== undefined && entry.input !== null ? (
    <Card title="Input" aside={<Copy text={JSON.stringify(entry.input, null, 2)} label="Copy the input" />}>
      <Json value={entry.input} label="Input" />
    </Card>
  ) : null;

/** Asks for a second click, in the same place. */
const Cancel = ({ id }: { id: string }) => {
  const [state, setState] = useState<{ is: 'idle' | 'sure' | 'busy'; mistake?: string }>({ is: 'idle' });
  const cancel = async (): Promise<void> => {
    setState({ is: 'busy' });
    try {
      await api.cancel(id);
    } catch (error) {
      if (!isShutOut(error)) setState({ is: 'idle', mistake: messageOf(error) });
    }
  };
  return (
    <div class="cancel">
      {state.is === 'idle' ? (
        <button type="button" class="danger" onClick={() => setState({ is: 'sure' })}>
          Cancel execution
        </button>
      ) : (
        <>
          <button type="button" class="danger solid" disabled={state.is === 'busy'} onClick={() => void cancel()}>
            Yes, cancel it
          </button>
          <button type="button" class="quiet" onClick={() => setState({ is: 'idle' })}>
            No
          </button>
        </>
      )}
      <Mistake text={state.mistake} />
    </div>
  );
};
