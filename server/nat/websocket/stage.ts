/** The runs of one socket: one run is shown at a time, and a new one replaces the earlier one. */
import {
  type Caller,
  Failure,
  type Json,
  type Log,
  metadataFromWebSocket,
  type Pause,
  RunTrace,
  type Runtime,
  type Workflow,
} from '../../../runtime/index.ts';
import type { Input } from '../../wire/start.ts';
import type { ConsentMode, ConsentPages } from '../consent-pages.ts';
import type { StepAdaptorOptions } from '../options.ts';
import { AdaptedSteps } from '../step-adaptor.ts';
import type { UserMessage } from './client-messages.ts';
import type { Conversations } from './conversation.ts';
import type { Handshake } from './handshake.ts';
import { Translator } from './translator.ts';
import { beginning, type Place, readCursor, type Turn } from './turn.ts';
import { type Sink, View } from './view.ts';

export interface StageDeps {
  readonly runtime: Runtime;
  readonly workflow: Workflow;
  /** The name of the workflow in steps. Default `<workflow>`. */
  readonly functionName: string | undefined;
  readonly conversations: Conversations;
  readonly steps: StepAdaptorOptions;
  readonly log: Log;
  readonly consents: ConsentPages;
}

export class Stage {
  readonly #deps: StageDeps;
  readonly #handshake: Handshake;
  readonly #sink: Sink;
  #turn: Turn | undefined;
  #view: View | undefined;
  #mode: ConsentMode | undefined;
  /** Providers whose consent was requested before a run. */
  readonly #preflights: string[] = [];
  #isClosed = false;

  constructor(deps: StageDeps, handshake: Handshake, sink: Sink) {
    this.#deps = deps;
    this.#handshake = handshake;
    this.#sink = sink;
  }

  /** The last turn, unless another socket shows it now. */
  get turn(): Turn | undefined {
    return this.#view?.isShowing === true ? this.#turn : undefined;
  }

  /** Starts the run of a message and shows it. Rejects like `Runtime.start`. */
  async begin(message: UserMessage, input: Pick<Input, 'raw' | 'value'>, by: Caller): Promise<void> {
    const { runtime, workflow, functionName, conversations } = this.#deps;
    const refers = { parentId: message.id, conversationId: message.conversation_id };
    const ids = { conversationId: refers.conversationId ?? undefined, userMessageId: message.id };
    const streaming = message.schema_type.endsWith('_stream');
    const { path, headers, query, cookies, client } = this.#handshake;
    const origin = { path, headers, query, cookies, client, scheme: 'ws', payload: message as Json };
    const { request, trace } = metadataFromWebSocket(origin, ids);
    const last = await conversations.find(workflow.name, by, refers.conversationId);
    const { execution } = await runtime.start({
      ...ids,
      conversation: ids.conversationId,
      workflow: workflow.name,
      functionName,
      input: input.raw,
      read: input,
      by,
      request,
      trace: new RunTrace(trace),
      interactive: true,
      streaming,
      recordsSteps: true,
    });
    const progress = { executionId: execution.id, seen: beginning, view: undefined };
    const turn: Turn = { execution, by, refers, streaming, progress };
    if (last !== undefined && last.progress.view === undefined) this.#cancel(last); // the next message ends the unseen run
    conversations.keep(workflow.name, turn);
    if (this.#isClosed) this.#abandon(turn);
    else this.#show(turn, undefined);
  }

  /** Shows the turn of a conversation to its returning owner. False if there is none. */
  async restore(conversationId: string, by: Caller): Promise<boolean> {
    const { conversations, workflow } = this.#deps;
    const turn = await conversations.find(workflow.name, by, conversationId);
    if (turn === undefined || this.#isClosed) return false;
    const { after } = this.#handshake;
    this.#show(turn, after === undefined ? undefined : readCursor(turn.execution, after));
    return true;
  }

  /** How the page opens consents from now on, including those of the present run. */
  prefer(mode: ConsentMode): void {
    this.#mode = mode;
    for (const name of this.#preflights) this.#note(name, mode);
    if (this.turn !== undefined) this.#note(this.turn.execution.id, mode);
  }

  /** A preflight consent was requested. `mode` is the page's last choice. */
  askedBeforehand(name: string, mode: ConsentMode): void {
    this.#preflights.push(name);
    this.#note(name, this.#mode ?? mode);
  }

  #note(id: string, mode: ConsentMode): void {
    this.#deps.consents.note(id, { origin: this.#handshake.headers.origin, mode });
  }

  /** Hides and cancels the run that is shown. */
  preempt(): void {
    const { turn } = this;
    this.#view?.stop();
    if (turn !== undefined) this.#cancel(turn);
  }

  /** Sends an open prompt or consent again. */
  ask(pause: Pause): void {
    this.#view?.ask(pause);
  }

  drained(): void {
    this.#view?.go();
  }

  close(): void {
    this.#isClosed = true;
    const { turn } = this;
    this.#view?.stop();
    if (turn !== undefined) this.#abandon(turn);
  }

  #show(turn: Turn, from: Place | undefined): void {
    const { runtime, steps, log, consents } = this.#deps;
    this.#view?.stop();
    this.#turn = turn;
    if (this.#mode !== undefined) this.#note(turn.execution.id, this.#mode);
    const translator = new Translator({ turn, steps: new AdaptedSteps(steps), runtime, consents });
    const counted = this.#handshake.after !== undefined;
    const onError = (err: unknown): void => log.error({ err }, 'a journal could not be read');
    this.#view = new View({ turn, translator, sink: this.#sink, runtime, counted, onError }, from);
  }

  /** The client has disconnected. A run continues if it can be found again: by its conversation, or by its owner. */
  #abandon(turn: Turn): void {
    if (turn.refers.conversationId === null && turn.by.userId === undefined) this.#cancel(turn);
  }

  #cancel({ execution, by }: Turn): void {
    const { runtime } = this.#deps;
    if (execution.isSettled || !runtime.isAccepting) return; // not at a shutdown, only at a disconnect
    runtime.cancel(execution.id, by).catch((err: unknown) => {
      if (Failure.from(err).code !== 'execution_settled') this.#deps.log.error({ err }, 'a run could not be cancelled');
    });
  }
}
