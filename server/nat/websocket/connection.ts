/**
 * One socket. Messages of the client are handled in order. An invalid message gets an error message; the socket stays
 * open.
 */
import { randomUUID } from 'node:crypto';
import { type Awaitable, andThen, type Caller, Failure, type JournalEntry } from '../../../runtime/index.ts';
import type { Who } from '../../identity/caller.ts';
import type { Identifier } from '../../identity/identifier.ts';
import { answerTo, pauseFor } from './answer.ts';
import {
  type AuthMessage,
  type InteractionMessage,
  lastUserTexts,
  readMessage,
  type UserMessage,
} from './client-messages.ts';
import type { Handshake } from './handshake.ts';
import type { ReadInput } from './input.ts';
import { NO_PROMPT, NO_TEXT, refusalOf } from './refusals.ts';
import { type ErrorContent, type Refers, say } from './server-messages.ts';
import { Stage, type StageDeps } from './stage.ts';
import type { Turn } from './turn.ts';
import type { Sink } from './view.ts';

export interface ConnectionDeps extends StageDeps {
  readonly who: Who;
  readonly identifier: Identifier;
  readonly readInput: ReadInput;
}

/** RFC 6455, 7.4.1 */
const POLICY_VIOLATION = 1008;

const noReference: Refers = { parentId: 'default_id', conversationId: null };

export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #handshake: Handshake;
  readonly #sink: Sink;
  readonly #stage: Stage;
  /** The identity of the last `auth_message`, which overrides the handshake. */
  #authenticated: Caller | undefined;
  /** A requested conversation that was not found: its owner may still identify itself. */
  #wanted: string | undefined;
  /** Users that were asked for the preflight consents. */
  #preflown: string | undefined;
  #isClosed = false;
  /** Resolves when earlier messages are done. */
  #done: Promise<void> = Promise.resolve();

  constructor(deps: ConnectionDeps, handshake: Handshake, sink: Sink) {
    this.#deps = deps;
    this.#handshake = handshake;
    this.#sink = sink;
    this.#stage = new Stage(deps, handshake, sink);
    this.#wanted = handshake.conversationId;
    if (deps.identifier.isStrict) this.#inTurn(() => this.#checkHandshake());
    if (this.#wanted !== undefined) this.#inTurn(() => this.#restore());
    if (deps.consents.preflight.length > 0) this.#inTurn(() => this.#preflight());
  }

  heard(text: string): void {
    this.#inTurn(() => this.#do(text));
  }

  /** An unreadable message arrived. */
  refuse(details: string): void {
    this.#inTurn(() => this.#sayBad(details));
  }

  drained(): void {
    this.#stage.drained();
  }

  closed(): void {
    this.#isClosed = true;
    this.#stage.close();
  }

  #inTurn(work: () => unknown): void {
    this.#done = this.#done.then(async () => {
      try {
        if (!this.#isClosed) await work();
      } catch (thrown) {
        this.#sayFailed(noReference, thrown);
      }
    });
  }

  #do(text: string): unknown {
    const message = readMessage(text);
    switch (message.type) {
      case 'ignored':
        return undefined;
      case 'bad':
        return this.#sayBad(message.why);
      case 'auth_message':
        return this.#authenticate(message);
      case 'user_interaction_message':
        return this.#answer(message);
      case 'user_message':
        return this.#begin(message);
    }
  }

  /** As on NAT 1.9 with configured identity settings: an invalid credential ends the socket. */
  async #checkHandshake(): Promise<void> {
    try {
      await this.#deps.who(this.#handshake);
    } catch (thrown) {
      const { code, message } = Failure.from(thrown);
      if (code !== 'credential_invalid') return; // a run may succeed
      this.#say(say.notAuthenticated(message, this.#now()));
      this.#isClosed = true;
      this.#sink.close?.(POLICY_VIOLATION, 'Identity credential was rejected');
    }
  }

  async #authenticate({ payload }: AuthMessage): Promise<void> {
    if (payload.method === 'oauth_mode_preference') return this.#stage.prefer(payload.mode);
    try {
      const { userId } = await this.#deps.identifier.identifyMessage(payload);
      this.#authenticated = { userId };
      this.#say(say.authenticated(userId, this.#now()));
    } catch (thrown) {
      this.#say(say.notAuthenticated(Failure.from(thrown).message, this.#now()));
    }
    await this.#restore();
    await this.#preflight();
  }

  /**
   * Asks the user for the preflight consents, once, as soon as the user is known. NAT reads no messages until they are
   * given; here the socket continues.
   */
  async #preflight(): Promise<void> {
    const { consents, runtime } = this.#deps;
    const { userId } = await this.#caller().catch(() => ({ userId: undefined }));
    if (userId === undefined || this.#preflown === userId) return;
    this.#preflown = userId;
    for (const provider of consents.preflight) {
      const name = `preflight ${randomUUID()}`;
      try {
        const asked = await runtime.askConsent(provider, { userId, name, address: this.#handshake.client.host });
        if (asked === undefined) continue;
        const useRedirect = consents.usesRedirect(provider);
        this.#stage.askedBeforehand(name, useRedirect ? 'redirect' : 'popup');
        this.#say(say.consent(noReference, asked.state, asked.authUrl, useRedirect, this.#now()));
      } catch (err) {
        this.#deps.log.warn({ provider, err }, 'a preflight consent could not be asked for');
        this.#say(say.preflightFailed(provider));
      }
    }
  }

  /** Shows the conversation that the client reconnects to, if it belongs to the client and no other run was started. */
  async #restore(): Promise<void> {
    if (this.#wanted === undefined) return;
    const by = await this.#caller().catch(() => undefined);
    if (by === undefined || this.#isClosed) return;
    if (await this.#stage.restore(this.#wanted, by)) this.#wanted = undefined;
  }

  async #caller(): Promise<Caller> {
    const by = this.#authenticated ?? (await this.#deps.who(this.#handshake));
    return by.userId === undefined && by.guest === undefined ? { ...by, guest: this.#handshake.guest } : by;
  }

  async #begin(message: UserMessage): Promise<void> {
    const refers = { parentId: message.id, conversationId: message.conversation_id };
    try {
      const read = await this.#deps.readInput(message);
      if (read === undefined) {
        this.#sayError(refers, NO_TEXT);
        return;
      }
      this.#wanted = undefined;
      this.#stage.preempt();
      await this.#stage.begin(message, read.input, await this.#caller());
    } catch (thrown) {
      this.#stage.preempt(); // in any case, the earlier run has been replaced
      this.#sayFailed(refers, thrown);
      this.#say(say.complete(refers, randomUUID(), this.#now()));
    }
  }

  async #answer({ content, ...ids }: InteractionMessage): Promise<void> {
    const { turn } = this.#stage;
    const pause = turn && (await pauseFor(turn.execution, ids, () => this.#factsOf(turn)));
    if (turn === undefined || pause === undefined) {
      this.#sayError(turn?.refers ?? noReference, NO_PROMPT);
      return;
    }
    const texts = lastUserTexts(content);
    try {
      if (texts.length === 0) throw new Failure('answer_invalid', { detail: 'The answer has no text of a user.' });
      const response = answerTo(pause.prompt, texts);
      const outcome = await this.#deps.runtime.answer(turn.execution.id, pause.id, response, turn.by);
      if (outcome !== 'accepted') this.#sayError(turn.refers, NO_PROMPT);
    } catch (thrown) {
      const { code, message: details } = Failure.from(thrown);
      if (code !== 'answer_invalid') throw thrown;
      this.#sayError(turn.refers, {
        code: 'invalid_user_message_content',
        message: 'The answer does not fit',
        details,
      });
      this.#stage.ask(pause); // NAT's interface has closed it
    }
  }

  #factsOf({ execution }: Turn): Awaitable<readonly JournalEntry[]> {
    return andThen(this.#deps.runtime.journal(execution, 0), (page) => page?.entries ?? []);
  }

  #sayBad(details: string): void {
    const refers = this.#stage.turn?.refers ?? noReference;
    this.#sayError(refers, { code: 'invalid_message', message: 'Error validating message.', details });
  }

  #sayFailed(refers: Refers, thrown: unknown): void {
    if (Failure.from(thrown).code === 'defect') this.#deps.log.error({ err: thrown }, 'a message on a socket failed');
    this.#sayError(refers, refusalOf(thrown));
  }

  #sayError(refers: Refers, content: ErrorContent): void {
    this.#say(say.error(refers, randomUUID(), content, this.#now()));
  }

  #say(message: object): void {
    if (!this.#isClosed) this.#sink.send([JSON.stringify(message)]);
  }

  #now(): number {
    return this.#deps.runtime.now();
  }
}
