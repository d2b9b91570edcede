/** Which workflows a server offers, and where: every protocol offers the same ones. */
import type { Workflow } from '../../runtime/index.ts';

/** Where a workflow is served. `null`: not there. */
export interface RoutePaths {
  /** A GET runs the workflow without input and never pauses. */
  readonly method: 'GET' | 'POST';
  /** Interactive: may answer 202. */
  readonly path: string | null;
  /** NAT's older route, which never pauses. */
  readonly legacyPath: string | null;
  readonly websocketPath?: string | null;
  /** Chat, interactive. This and the two below are not there with GET. */
  readonly openaiApiPath?: string | null;
  /** Chat as OpenAI has it. */
  readonly openaiApiV1Path?: string | null;
  /** NAT's older chat, which never pauses. */
  readonly legacyOpenaiApiPath?: string | null;
}

export interface ServedWorkflow {
  readonly workflow: Workflow;
  /** The name that steps show; undefined for the workflow of the server. */
  readonly functionName: string | undefined;
  readonly paths: RoutePaths;
  /** The setting that lists it: `workflow`, or `endpoints[0]`. */
  readonly setting: string;
}
