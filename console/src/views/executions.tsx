/** All executions, newest first, with filters; one live page at a time. */
import type { ListedExecution } from '../../../client/index.ts';
import { useLive } from '../live.ts';
import { Ago, Countdown, Empty, Mistake, Owner, Since, Status } from '../parts/bits.tsx';
import { filterBy, hrefOf, place } from '../route.ts';
import { api } from '../state.ts';
import { duration, standingOf } from '../words.ts';

const STATUSES = [
  ['', 'All'],
  ['running', 'Running'],
  ['interaction_required', 'Needs answer'],
  ['oauth_required', 'Needs consent'],
  ['completed', 'Completed'],
  ['failed', 'Failed'],
] as const;

const PAGE = 50;

export const Executions = () => {
  const { query } = place.value;
  const filter = Object.fromEntries(
    ['status', 'workflow', 'owner', 'id', 'before'].flatMap((name) => {
      const value = query.get(name);
      return value ? [[name, value]] : [];
    }),
  );
  const { value, error } = useLive(() => api.list({ ...filter, limit: PAGE }), `executions ${query}`);
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <>
      <header class="top">
        <h1>Executions</h1>
        <a class="button primary" href={hrefOf('start')}>
          Start a run
        </a>
      </header>
      <Filters query={query} />
      <Mistake text={error} />
      {value?.executions.length === 0 && (
        <Empty title={isFiltered ? 'No execution matches' : 'No executions yet'}>
          {isFiltered ? 'Try a wider filter.' : 'Start a run, and watch it here.'}
        </Empty>
      )}
      {value !== undefined && value.executions.length > 0 && <List executions={value.executions} />}
      <nav class="pages" aria-label="Pages">
        {query.has('before') && <a href={withBefore(query, undefined)}>← Newest</a>}
        {value?.next != null && <a href={withBefore(query, value.next)}>Older →</a>}
      </nav>
    </>
  );
};

/** Each page is an entry in the history, so that "back" works. */
const withBefore = (query: URLSearchParams, before: string | undefined): string => {
  const changed = new URLSearchParams(query);
  changed.delete('before');
  if (before !== undefined) changed.set('before', before);
  return changed.size === 0 ? hrefOf('executions') : `${hrefOf('executions')}?${changed}`;
};

const Filters = ({ query }: { query: URLSearchParams }) => {
  const { value: workflows = [] } = useLive(() => api.workflows(), 'workflows');
  const field = (name: string) => ({
    value: query.get(name) ?? '',
    onInput: (event: { currentTarget: { value: string } }) =>
      filterBy({ [name]: event.currentTarget.value.trim(), before: '' }),
  });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a search element is not known to all readers yet
    <div class="filters" role="search">
      <nav class="segments" aria-label="Status">
        {STATUSES.map(([status, label]) => (
          <button
            key={status}
            type="button"
            aria-pressed={(query.get('status') ?? '') === status}
            onClick={() => filterBy({ status, before: '' })}
          >
            {label}
          </button>
        ))}
      </nav>
      <div class="fields-inline">
        <input type="search" placeholder="Id" aria-label="Beginning of the id" {...field('id')} />
        <input type="search" placeholder="Owner" aria-label="Owner" {...field('owner')} />
        {workflows.length > 1 && (
          <select aria-label="Workflow" {...field('workflow')}>
            <option value="">All workflows</option>
            {workflows.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </div>
    </div>
  );
};

const List = ({ executions }: { executions: readonly ListedExecution[] }) => (
  <div class="table card">
    <table>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Workflow</th>
          <th scope="col">Open prompt or result</th>
          <th scope="col">Owner</th>
          <th scope="col">Started</th>
          <th scope="col" class="number">
            Duration
          </th>
        </tr>
      </thead>
      <tbody>
        {executions.map((execution) => (
          <Row key={execution.execution_id} execution={execution} />
        ))}
      </tbody>
    </table>
  </div>
);

const Row = ({ execution }: { execution: ListedExecution }) => {
  const { execution_id: id, workflow, owner, due_at: dueAt } = execution;
  const startedAt = Date.parse(execution.started_at);
  return (
    <tr>
      <td class="cell-status">
        <Status of={standingOf(execution)} />
      </td>
      <td class="cell-name">
        <a href={hrefOf('executions', id)} class="row-link">
          {workflow}
        </a>
        <code class="id">{id}</code>
      </td>
      <td class="cell-detail">
        <span class="clip">{gist(execution)}</span>
        {dueAt !== null && <Countdown until={Date.parse(dueAt)} />}
      </td>
      <td class="cell-owner">{owner === null ? <Owner id={null} /> : <OwnerLink owner={owner} />}</td>
      <td class="cell-started">
        <Ago at={startedAt} />
      </td>
      <td class="cell-took number">
        {execution.settled_at === null ? (
          <Since at={startedAt} />
        ) : (
          duration(Date.parse(execution.settled_at) - startedAt)
        )}
      </td>
    </tr>
  );
};

const OwnerLink = ({ owner }: { owner: string }) => (
  <a class="own" href={`${hrefOf('executions')}?owner=${encodeURIComponent(owner)}`}>
    <Owner id={owner} />
  </a>
);

/** One line: the open prompt or the result. */
const gist = (execution: ListedExecution): string => {
  if (execution.blocked !== undefined) return `Expected ${execution.blocked.expected}; came ${execution.blocked.came}`;
  switch (execution.status) {
    case 'interaction_required':
      return others(execution.prompt.text, execution.pending);
    case 'oauth_required':
      return others('Consent of a person', execution.pending);
    case 'completed':
      return execution.result === undefined ? 'A large result' : JSON.stringify(execution.result).slice(0, 200);
    case 'failed':
      return execution.error;
    default:
      return execution.phase === 'queued' ? 'A run slot' : '';
  }
};

const others = (first: string, pending: readonly unknown[] = []): string =>
  pending.length > 1 ? `${first} (and ${pending.length - 1} more)` : first;
