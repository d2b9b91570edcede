/** The package `fermata`: writing workflows, and running them in a program. */
export type { Blocked, ExecutionContext, ExecutionStatus } from '../machines/execution.ts';
export { opened as pauseOf, publicFact } from '../machines/execution.ts';
export {
  aboutFact,
  FACTS,
  type FactForCallers,
  type FactFrame,
  isForCallers,
  isForNat,
  isLast,
  isOutput,
  secretsOf,
} from '../machines/fact-table.ts';
export type {
  Consent,
  ExecutionError,
  ExecutionErrorCode,
  Fact,
  Interaction,
  JournalEntry,
  Pause,
  TraceStep,
} from '../machines/facts.ts';
export { isAwaited, LAST_DATE, shownDueAt } from '../machines/facts.ts';
export { aboutPrompt, optionsOf, PROMPT_KINDS, PROMPTS, type Taking } from '../machines/prompt-table.ts';
export { firstAwaited, STANDS, type Stand, standOf } from '../machines/standing.ts';
export { voidIn } from '../machines/void-facts.ts';
export { AccessToken } from './authoring/access-token.ts';
export type {
  Branches,
  Context,
  Log,
  PromptOptions,
  RequestInfo,
  Span,
  SpanKind,
  SpanOptions,
  Step,
  Trace,
} from './authoring/context.ts';
export {
  AuthorizationError,
  EndedError,
  InteractionUnavailableError,
  OutputInvalidError,
  StepContextError,
  TimeoutError,
  WithdrawnError,
} from './authoring/errors.ts';
export { type JsonSchema, jsonSchemaOf } from './authoring/json-schema.ts';
export type { Jsonify } from './authoring/jsonify.ts';
export {
  type Answer,
  type BinaryAnswer,
  type BinaryOption,
  binaryChoice,
  checkbox,
  dropdown,
  type Json,
  type ManyAnswer,
  type NotificationAnswer,
  notification,
  type OneAnswer,
  type Option,
  type Pick,
  type Prompt,
  type PromptKind,
  type Question,
  type Response,
  radio,
  readAnswer,
  type TextAnswer,
  text,
} from './authoring/prompts.ts';
export { isWorkflow, type Scope, type Workflow, type WorkflowOptions, workflow } from './authoring/workflow.ts';
export { type Awaitable, andThen } from './awaitable.ts';
export type { BuilderLease, BuilderPool, BuilderView } from './builders/view.ts';
export { Failure, type FailureCode, failures } from './errors.ts';
export { follow } from './executions/follow.ts';
export { conversationName, isUnguessable } from './executions/names.ts';
export { heapBytesOf } from './executions/record-bytes.ts';
export { UnreadFacts } from './executions/unread.ts';
export type { ExecutionView } from './executions/view.ts';
export type { ActorView, Inspected, InspectedKind, InspectedSnapshot, Inspector } from './inspection/inspected.ts';
export type { Caller } from './journal/caller.ts';
export { noRequest, type StartRequest } from './journal/start-request.ts';
export { createRuntime } from './local-runtime.ts';
export { guardedLog, readableError, silentLog } from './log.ts';
export { ExecutionRecord, PendingOAuth, type RecordStatus } from './nat/execution-record.ts';
export { DEFAULT_EXECUTION_TTL, ExecutionStore, type ExecutionStoreOptions } from './nat/execution-store.ts';
export { type Fresh, GivenOutput, type Texts } from './nat/given-output.ts';
export { type FirstOutcome, PendingInteraction } from './nat/pending-interactions.ts';
export { PerUserBuilderInfo } from './nat/per-user-builder-info.ts';
export {
  metadataFromHttpRequest,
  metadataFromWebSocket,
  type PartialRequest,
  type RunMetadata,
  RunTrace,
  type TraceOrigin,
  traceFromHeaders,
} from './nat/run-metadata.ts';
export { type RunOptions, Session, type SessionRequest } from './nat/session.ts';
export type {
  AskedConsent,
  AskedPrompt,
  UserAuthenticationCallback,
  UserInputCallback,
} from './nat/session-callbacks.ts';
export { SessionManager, type SessionManagerSetup } from './nat/session-manager.ts';
export { RunFailedError, SessionRun } from './nat/session-run.ts';
export { type Credential, type UserInfo, userInfoOf } from './nat/user-info.ts';
export { boundsFault, endOfText, MAX_DEPTH } from './nesting.ts';
export { networkOf } from './network-of.ts';
export type { CallbackOutcome, OpenedConsent } from './oauth/oauth.ts';
export { presetNames } from './oauth/presets.ts';
export type { OAuthProviderConfig } from './oauth/provider.ts';
export { defaults, type RuntimeOptions, resolveOptions } from './options.ts';
export { FAILED } from './run/function-call.ts';
export { refuseExit } from './run/strays.ts';
export type { AnswerOutcome, AwaitedPause, ExecutionPage, Runtime, WaitOptions } from './runtime.ts';
export type { RuntimeSetup } from './setup.ts';
export type { Archive } from './store/archive.ts';
export { DurableStore } from './store/durable.ts';
export { MemoryStore } from './store/memory.ts';
export { defaultDataBytes, describeData, openData, openStoredData } from './store/open.ts';
export { isListed, type ListedContext, type ListedView } from './store/outline.ts';
export { cursorAt, type ExecutionFilter } from './store/query.ts';
export type { Summary } from './store/reader.ts';
export type { JournalLimits, JournalPage, Recorded, Store } from './store/store.ts';
export { allStored, type StoredData, type StoredJournal } from './store/stored-data.ts';
export { StoredExecutions } from './store/stored-executions.ts';
export { type Clock, systemClock } from './time/clock.ts';
