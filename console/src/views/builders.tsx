/** Each builder with its slots, queue and counters. */
import type { BuilderBody } from '../../../client/index.ts';
import { useLive } from '../live.ts';
import { Ago, Empty, Mistake, Owner } from '../parts/bits.tsx';
import { hrefOf } from '../route.ts';
import { api } from '../state.ts';
import { duration } from '../words.ts';

export const Builders = () => {
  const { value, error } = useLive(() => api.builders(), 'builders');
  return (
    <>
      <header class="top">
        <h1>Builders</h1>
        {value !== undefined && <span class="count">{value.length} open</span>}
      </header>
      <Mistake text={error} />
      {value?.length === 0 && (
        <Empty title="No builder is open">A builder opens with the first run of a workflow.</Empty>
      )}
      <div class="builders">
        {value?.map((builder) => (
          <Builder key={builder.builder_id} builder={builder} />
        ))}
      </div>
    </>
  );
};

const STATES: Readonly<Record<string, string>> = {
  building: 'Building',
  'ready.idle': 'Idle',
  'ready.in_use': 'In use',
  'idle-expiring': 'Closing',
  failed: 'Failed',
  done: 'Closed',
};

const Builder = ({ builder }: { builder: BuilderBody }) => {
  const { workflow, version, user, state, slots, requests, executions } = builder;
  const parked = Math.max(0, executions - slots.held - slots.queued);
  return (
    <article class="card builder">
      <header>
        <h2>{workflow}</h2>
        <span class={`status ${state.replace('.', '-')}`}>{STATES[state] ?? state}</span>
      </header>
      <p class="hint">
        {user === null ? (
          'Shared by all users'
        ) : (
          <>
            For <Owner id={user} />
          </>
        )}{' '}
        · version {version} · opened <Ago at={Date.parse(builder.created_at)} />
      </p>
      <Meter label="Slots" count={slots.held} most={slots.limit} none="no limit" />
      <Meter label="Queue" count={slots.queued} most={slots.max_queued} none="no limit" />
      <dl class="numbers">
        <Figure name="Parked" value={String(parked)} />
        <Figure name="Done" value={requests.total.toLocaleString()} />
        <Figure name="Failed" value={requests.failed.toLocaleString()} isBad={requests.failed > 0} />
        <Figure name="Average" value={requests.avg_latency_ms === null ? '–' : duration(requests.avg_latency_ms)} />
      </dl>
      <footer>
        <a href={`${hrefOf('executions')}?workflow=${encodeURIComponent(workflow)}`}>Its executions</a>
        <span class="hint">
          last used <Ago at={Date.parse(builder.last_activity)} />
        </span>
      </footer>
    </article>
  );
};

const Meter = ({ label, count, most, none }: { label: string; count: number; most: number | null; none: string }) => (
  <div class="meter">
    <span>{label}</span>
    <progress aria-label={label} max={most ?? Math.max(1, count)} value={most === null ? 0 : count} />
    <span class="number">
      {count} <span class="muted">/ {most?.toLocaleString() ?? none}</span>
    </span>
  </div>
);

const Figure = ({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) => (
  <div class={isBad ? 'bad' : ''}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
