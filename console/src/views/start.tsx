/** Starts a run: a form made from the JSON Schema of the input, or a text field for JSON. */
import { useMemo, useState } from 'preact/hooks';
import { RequestError, type WorkflowBody } from '../../../client/index.ts';
import { useLive } from '../live.ts';
import { Card, Empty, Mistake } from '../parts/bits.tsx';
import { JsonControl, SchemaField } from '../parts/schema-form.tsx';
import { go, hrefOf } from '../route.ts';
import { fieldOf, startOf } from '../schema.ts';
import { api, isShutOut, messageOf } from '../state.ts';

export const Start = ({ name }: { name: string | undefined }) => {
  const { value, error } = useLive(() => api.workflows(), 'workflows');
  const startable = value?.filter(({ path, method }) => path !== null && method === 'POST') ?? [];
  const chosen = startable.find((workflow) => workflow.name === name) ?? startable[0];
  return (
    <div class="narrow">
      <header class="top">
        <h1>Start a run</h1>
      </header>
      <Mistake text={error} />
      {value !== undefined && chosen === undefined && (
        <Empty title="No workflow can be started here">Only those served by POST can.</Empty>
      )}
      {startable.length > 1 && (
        <div class="field">
          <label for="workflow">Workflow</label>
          <select
            id="workflow"
            value={chosen?.name}
            onChange={(event) => go(hrefOf('start', event.currentTarget.value))}
          >
            {startable.map((workflow) => (
              <option key={workflow.path} value={workflow.name}>
                {workflow.name}
              </option>
            ))}
          </select>
        </div>
      )}
      {chosen !== undefined && <StartForm key={chosen.name} workflow={chosen} />}
    </div>
  );
};

const StartForm = ({ workflow }: { workflow: WorkflowBody }) => {
  const field = useMemo(() => fieldOf(workflow.input), [workflow.name]);
  const [input, setInput] = useState<unknown>(() => startOf(field));
  const [isRaw, setRaw] = useState(field.kind === 'json');
  const [user, setUser] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refusal>(nothing);
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setRefused(nothing);
    try {
      const headers = user === '' ? {} : { 'x-api-key': user };
      const { executionId } = await api.start(input ?? {}, { path: workflow.path!, headers });
      go(hrefOf('executions', executionId));
    } catch (error) {
      setBusy(false);
      if (!isShutOut(error)) setRefused(refusalOf(error));
    }
  };
  return (
    <form onSubmit={(event) => void start(event)}>
      <Card
        title="Input"
        aside={
          field.kind !== 'json' && (
            <button type="button" class="quiet small" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
              {isRaw ? 'As a form' : 'As JSON'}
            </button>
          )
        }
      >
        {isRaw ? (
          <div class="field">
            <label for="input">{workflow.input === null ? 'Anything, or nothing' : 'JSON'}</label>
            <JsonControl id="input" required={false} value={input} onChange={setInput} />
          </div>
        ) : (
          <SchemaField
            field={field}
            name="input"
            at=""
            value={input}
            isRequired
            mistakes={refused.byPlace}
            onChange={setInput}
          />
        )}
      </Card>
      <Card title="On whose behalf">
        <div class="field">
          <label for="user">
            API key of the user {!workflow.is_per_user && <span class="optional">optional</span>}
          </label>
          <input
            id="user"
            value={user}
            required={workflow.is_per_user}
            autocomplete="off"
            onInput={(event) => setUser(event.currentTarget.value.trim())}
          />
          <p class="hint">
            {workflow.is_per_user
              ? 'Each user has separate resources in this workflow, so the run needs a user.'
              : 'Without a user, any caller who knows the id of the run can read and answer it.'}
          </p>
        </div>
      </Card>
      <Mistake text={refused.whole} />
      <div class="actions">
        <button type="submit" class="primary large" disabled={isBusy}>
          Start {workflow.name}
        </button>
      </div>
    </form>
  );
};

interface Refusal {
  readonly whole: string | undefined;
  readonly byPlace: ReadonlyMap<string, string>;
}

const nothing: Refusal = { whole: undefined, byPlace: new Map() };

/** The server writes paths as `["body", "address", "city"]`. */
const refusalOf = (error: unknown): Refusal => {
  const byPlace = new Map<string, string>();
  const detail = error instanceof RequestError ? (error.body as { detail?: unknown }).detail : undefined;
  for (const { loc, msg } of Array.isArray(detail) ? detail : []) byPlace.set(loc.slice(1).join('.'), msg);
  return { whole: messageOf(error), byPlace };
};
