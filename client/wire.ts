/** The types of the wire: bodies that the server sends and its clients read. Names are NAT's where NAT has the body. */
import type { FactForCallers, FactFrame, FactOf } from '../machines/fact-table.ts';
import type { JournalEntry } from '../machines/facts.ts';
import type { Prompt } from '../machines/prompts.ts';

/** A prompt that waits for an answer. */
export type OpenInteraction = {
  status: 'interaction_required';
  interaction_id: string;
  prompt: Prompt;
  /** Path of the server, with its root path. */
  response_url: string;
};

/** A prompt with the path for its answer. */
export type AddressedPrompt = Omit<OpenInteraction, 'status'>;

/** A consent that waits for a browser. */
export type OpenConsent = { status: 'oauth_required'; auth_url: string; oauth_state: string };

export type OpenPause = OpenInteraction | OpenConsent;

/** The served code does not match the journal: the expected call, the actual call, the version, and since when. */
export type BlockedBody = { expected: string; came: string; version: string; since: string };

/**
 * `GET /executions/{id}`. `pending` is present when several prompts or consents are open; the first is in the body
 * itself. `blocked` is present while the execution cannot continue.
 */
export type ExecutionBody = { execution_id: string; blocked?: BlockedBody } & (
  | { status: 'running' }
  | (OpenPause & { pending?: OpenPause[] })
  | { status: 'completed'; result: unknown }
  | { status: 'failed'; error: string }
);

/** An execution in a list whose result is left out. */
export type CompletedBody = { execution_id: string; blocked?: undefined; status: 'completed'; result?: undefined };

/** 202: the open prompt or consent, or `running`. */
export type AcceptedBody = { execution_id: string; status_url: string } & ({ status: 'running' } | OpenPause);

/** One of `GET /executions`; times are ISO 8601 in UTC. A large result is left out: read the execution itself. */
export type ListedExecution = (ExecutionBody | CompletedBody) & {
  workflow: string;
  /** User id of the caller who started it; null without identity. */
  owner: string | null;
  phase: 'queued' | 'executing' | 'waiting' | 'settled';
  /** Why it failed; null otherwise. */
  code: string | null;
  started_at: string;
  settled_at: string | null;
  /** The earliest deadline; null if there is none. */
  due_at: string | null;
};
export type ExecutionListBody = { executions: ListedExecution[]; next: string | null };

/** One of `GET /interactions`. */
export type InboxItem = OpenPause & {
  execution_id: string;
  workflow: string;
  opened_at: string;
  due_at: string | null;
};
export type InboxBody = { interactions: InboxItem[] };

/** `GET /executions/{id}/journal`. `truncated_through`: entries up to this number may be missing. */
export type JournalBody = { entries: readonly JournalEntry[]; truncated_through: number | null };

/** One event of the journal as a stream; `seq` is as in `StreamEvent`. */
export type JournalEvent =
  | {
      [Type in JournalEntry['type']]: { type: Type; seq: number; data: Extract<JournalEntry, { type: Type }> };
    }[JournalEntry['type']]
  | { type: 'truncated'; seq: number; data: { truncated_through: number } };

/** The data of `GET /executions/changes`: ids of changed executions; `null` for all. */
export type ChangesBody = { executions: string[] | null };

/** One of `GET /workflows`. */
export type WorkflowBody = {
  name: string;
  is_per_user: boolean;
  method: 'GET' | 'POST';
  /** Path of the server, with its root path; null if only older routes serve it. */
  path: string | null;
  /** JSON Schema of the input; null if it accepts anything, or nothing. */
  input: Readonly<Record<string, unknown>> | null;
};
export type WorkflowListBody = { workflows: WorkflowBody[] };

/** One of `GET /builders`. Limits are null if there are none. */
export type BuilderBody = {
  builder_id: string;
  workflow: string;
  version: string;
  /** Null for a builder that all users share. */
  user: string | null;
  /** `building`, `ready.idle`, `ready.in_use`, ... */
  state: string;
  created_at: string;
  last_activity: string;
  /** Number of its executions, including parked ones. */
  executions: number;
  slots: { limit: number | null; held: number; queued: number; max_queued: number | null };
  requests: { total: number; failed: number; avg_latency_ms: number | null };
};
export type BuilderListBody = { builders: BuilderBody[] };

/** An intermediate step of a run. */
export type StreamedStep = { id: string; parentId: string; event: string; name: string } & Record<string, unknown>;

/** The data of the events of `GET /executions/{id}/stream`, by name. `at` (ISO 8601) is in all but `truncated`. */
export type StreamData = StreamForms & {
  [Type in Exclude<FactForCallers['type'], keyof StreamForms>]: Members<FactOf<Type>>;
};

/** The members of a fact besides its number, its time and the place of its call. */
type Members<Of> = { [Name in Exclude<keyof Of, FactFrame> as SnakeCase<Name & string>]: Of[Name] };
type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name;

/** Events whose members differ from those of their fact. */
type StreamForms = {
  'execution.started': { execution_id: string; workflow: string };
  /** `step`: the step that emitted the value, if there is one. */
  'output.emitted': { value: unknown; step?: number };
  'trace.emitted': { step: StreamedStep };
  'trace.identified': { observability_trace_id: string };
  'interaction.requested': AddressedPrompt & { due_at: string | null };
  'interaction.answered': { interaction_id: string };
  'interaction.expired': { interaction_id: string };
  /** The run no longer needs it. */
  'interaction.withdrawn': { interaction_id: string };
  'oauth.requested': Omit<OpenConsent, 'status'> & { due_at: string | null };
  'oauth.granted': { oauth_state: string };
  'oauth.refused': { oauth_state: string };
  'oauth.expired': { oauth_state: string };
  'oauth.withdrawn': { oauth_state: string };
  'execution.unblocked': object;
  'execution.completed': { status: 'completed'; result: unknown };
  'execution.failed': { status: 'failed'; code: string; error: string };
  /** The journal no longer has all facts up to a number. The other members are the present status. */
  truncated: ExecutionBody & { truncated_through: number };
};

/** One event. `seq` is the number of its fact; for `truncated`, the number of the last fact before it. */
export type StreamEvent = {
  [Type in keyof StreamData]: { type: Type; seq: number; data: StreamData[Type] };
}[keyof StreamData];
