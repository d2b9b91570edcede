/** Follows a run from its first fact to its last: shows its output, and answers its prompts, one at a time. */
import {
  type Caller,
  type ExecutionView,
  type Fact,
  Failure,
  follow,
  GivenOutput,
  type JournalEntry,
  type Runtime,
} from '../../runtime/index.ts';
import type { Respondent } from './respondent.ts';
import type { Screen } from './screen.ts';

export interface ConversationSetup {
  readonly runtime: Runtime;
  readonly execution: ExecutionView;
  readonly by: Caller;
  readonly screen: Screen;
  readonly respond: Respondent;
  /** Opens a page for the user, in a terminal. */
  readonly open: (url: string) => void;
}

type Asked = Extract<Fact, { type: 'interaction.requested' }>;

/** Resolves when the run has settled. Rejects with an error of `respond`, after cancelling the run. */
export const converse = (setup: ConversationSetup): Promise<void> => new Conversation(setup).run();

class Conversation {
  readonly #setup: ConversationSetup;
  /** Prompts that are being asked, or wait for the previous one. */
  readonly #open = new Map<string, AbortController>();
  readonly #steps = new Map<number, string>();
  readonly #output = new GivenOutput();
  #asking = Promise.resolve();
  #failure: unknown;

  constructor(setup: ConversationSetup) {
    this.#setup = setup;
  }

  async run(): Promise<void> {
    const { runtime, execution, by, screen } = this.#setup;
    for await (const { entries } of follow(execution, (after) => runtime.facts(execution.id, after, by))) {
      for (const entry of entries) this.#hear(entry);
      this.#showProgress();
    }
    for (const prompt of this.#open.values()) prompt.abort();
    await this.#asking;
    screen.clear();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #hear(fact: JournalEntry): void {
    const { screen, open } = this.#setup;
    const { values, isChanged } = this.#output.hear(fact);
    if (isChanged) screen.say('A step was cut off and runs again. What it has put out is void; it comes anew:');
    for (const value of values) screen.output(value);
    switch (fact.type) {
      case 'notification.sent':
        screen.say(fact.prompt.text);
        break;
      case 'interaction.requested':
        this.#ask(fact);
        break;
      case 'interaction.answered':
      case 'interaction.expired':
      case 'interaction.withdrawn':
        this.#open.get(fact.id)?.abort(fact.type);
        break;
      case 'oauth.requested':
        screen.say(`The run needs a consent at ${fact.provider}. Give it here:\n${fact.authUrl}`);
        open(fact.authUrl);
        break;
      case 'step.started':
        this.#steps.set(fact.call, fact.name);
        break;
      case 'step.completed':
      case 'step.failed':
        this.#steps.delete(fact.call);
    }
  }

  #ask(asked: Asked): void {
    const closed = new AbortController();
    this.#open.set(asked.id, closed);
    this.#asking = this.#asking
      .then(() => this.#answer(asked, closed.signal))
      .catch((thrown) => {
        this.#failure ??= thrown;
        return this.#cancel();
      })
      .finally(() => this.#open.delete(asked.id));
  }

  async #answer({ id, prompt }: Asked, closed: AbortSignal): Promise<void> {
    const { runtime, execution, by, screen, respond } = this.#setup;
    if (closed.aborted) return;
    screen.clear();
    const response = await respond(prompt, closed);
    if (!closed.aborted) {
      if (response === null) return this.#cancel();
      await runtime.answer(execution.id, id, response, by);
    } else if (closed.reason === 'interaction.expired')
      screen.say(prompt.error ?? 'This prompt is no longer available.');
    else if (closed.reason === 'interaction.withdrawn') screen.say('The run does not need the answer any more.');
  }

  async #cancel(): Promise<void> {
    const { runtime, execution, by } = this.#setup;
    await runtime.cancel(execution.id, by).catch((thrown) => {
      if (Failure.from(thrown).code !== 'execution_settled') throw thrown;
    });
  }

  #showProgress(): void {
    const { execution, screen } = this.#setup;
    const { pauses, workflow } = execution.context;
    if (execution.isSettled || this.#open.size > 0) return;
    const [step] = [...this.#steps.values()].reverse();
    const [pause] = pauses;
    if (execution.context.working || pause === undefined) screen.busy(step ?? `${workflow} runs`);
    else if (pause.kind === 'oauth') screen.busy(`waiting for the consent at ${pause.provider}`);
    else if (pause.dueAt !== null) screen.busy(`sleeping until ${new Date(pause.dueAt).toLocaleTimeString()}`);
  }
}
