/** The door: writing workflows, and running them in a program of your own. */
export type { Blocked, ExecutionContext, ExecutionStatus } from '../machines/execution.ts';
export { opened as pauseOf } from '../machines/execution.ts';
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
export { voidIn } from '../machines/void-facts.ts';
export type { Caller } from './caller.ts';
export { type Clock, systemClock } from './clock.ts';
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
} from './context.ts';
export type { RuntimeSetup, StartRequest } from './engine.ts';
export { Failure, type FailureCode, failures } from './errors.ts';
export { ExecutionRecord, PendingOAuth, type RecordStatus } from './execution-record.ts';
export { DEFAULT_EXECUTION_TTL, ExecutionStore, type ExecutionStoreOptions } from './execution-store.ts';
export {
  type ExecutionFilter,
  type ExecutionPage,
  firstAwaited,
  STANDS,
  type Stand,
  standOf,
} from './executions.ts';
export { follow } from './follow.ts';
export { type Fresh, GivenOutput, type Texts } from './given-output.ts';
export type { Inspected, InspectedKind, InspectedSnapshot } from './inspected.ts';
export type { Inspection, Inspector } from './inspection.ts';
export { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
export type { Jsonify } from './jsonify.ts';
export { silentLog } from './log.ts';
export { conversationName, isUnguessable } from './names.ts';
export { MAX_DEPTH, tooDeepAt } from './nesting.ts';
export { AccessToken } from './oauth/access-token.ts';
export type { CallbackOutcome } from './oauth/oauth.ts';
export { presetNames } from './oauth/presets.ts';
export type { OAuthProviderConfig } from './oauth/provider.ts';
export { defaults, type RuntimeOptions, resolveOptions } from './options.ts';
export { type FirstOutcome, PendingInteraction } from './pending-interactions.ts';
export { PerUserBuilderInfo } from './per-user-builder-info.ts';
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
} from './prompts.ts';
export {
  AuthorizationError,
  EndedError,
  InteractionUnavailableError,
  OutputInvalidError,
  StepContextError,
  TimeoutError,
  WithdrawnError,
} from './run-errors.ts';
export {
  metadataFromHttpRequest,
  metadataFromWebSocket,
  noRequest,
  type PartialRequest,
  type RunMetadata,
  RunTrace,
  type TraceOrigin,
  traceFromHeaders,
} from './run-metadata.ts';
export {
  type AnswerOutcome,
  createRuntime,
  type ExecutionView,
  Runtime,
} from './runtime.ts';
export { type RunOptions, Session, type SessionRequest } from './session.ts';
export type { AskedConsent, AskedPrompt, UserAuthenticationCallback, UserInputCallback } from './session-callbacks.ts';
export { SessionManager, type SessionManagerSetup } from './session-manager.ts';
export { RunFailedError, SessionRun } from './session-run.ts';
export type { Archive } from './store/archive.ts';
export { DurableStore } from './store/durable.ts';
export { MemoryStore } from './store/memory.ts';
export type { Summary } from './store/reader.ts';
export type { JournalLimits, JournalPage, Recorded, Store } from './store/store.ts';
export { StoredExecutions, type StoredJournal } from './stored-executions.ts';
export { type Credential, type UserInfo, userInfoOf } from './user-info.ts';
export { isWorkflow, type Scope, type Workflow, type WorkflowOptions, workflow } from './workflow.ts';
