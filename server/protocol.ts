/** The bodies of the wire, as types: what the server sends and its clients read. Names are NAT's where NAT has the body. */
import type { Prompt } from '../runtime/index.ts';

/** A prompt that waits for an answer. */
export type OpenInteraction = {
  status: 'interaction_required';
  interaction_id: string;
  prompt: Prompt;
  /** Path of the server, with its root path. */
  response_url: string;
};

/** A consent that waits for a browser. */
export type OpenConsent = { status: 'oauth_required'; auth_url: string; oauth_state: string };

export type OpenPause = OpenInteraction | OpenConsent;

/** `GET /executions/{id}`. `pending` is there when several things wait; the first of them stands in the body itself. */
export type ExecutionBody = { execution_id: string } & (
  | { status: 'running' }
  | (OpenPause & { pending?: OpenPause[] })
  | { status: 'completed'; result: unknown }
  | { status: 'failed'; error: string }
);

/** 202: what a client has to do, or that it can look again. */
export type AcceptedBody = { execution_id: string; status_url: string } & ({ status: 'running' } | OpenPause);

/** One of `GET /executions`; times are ISO 8601 in UTC. */
export type ListedExecution = ExecutionBody & { workflow: string; started_at: string; settled_at: string | null };
export type ExecutionListBody = { executions: ListedExecution[]; next: string | null };

/** One of `GET /interactions`. */
export type InboxItem = OpenPause & {
  execution_id: string;
  workflow: string;
  opened_at: string;
  due_at: string | null;
};
export type InboxBody = { interactions: InboxItem[] };
