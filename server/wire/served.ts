/** The workflows of a server, with their paths. All protocols serve the same ones. */
import type { Workflow } from '../../runtime/index.ts';

/** The paths of a workflow. `null`: not served. */
export interface RoutePaths {
  /** A GET runs the workflow without input and never pauses. */
  readonly method: 'GET' | 'POST';
  /** Interactive: may reply 202. */
  readonly path: string | null;
  /** The path of NAT's older routes, whose runs never pause. */
  readonly legacyPath: string | null;
  readonly websocketPath?: string | null;
  /** Chat, interactive. With GET, this and the two below are not served. */
  readonly openaiApiPath?: string | null;
  /** Chat in OpenAI's form. */
  readonly openaiApiV1Path?: string | null;
  /** The path of NAT's older chat routes, whose runs never pause. */
  readonly legacyOpenaiApiPath?: string | null;
}

export interface ServedWorkflow {
  readonly workflow: Workflow;
  /** Its name in steps; undefined for the workflow of the server. */
  readonly functionName: string | undefined;
  readonly paths: RoutePaths;
  /** The setting that lists it: `workflow`, or `endpoints[0]`. */
  readonly setting: string;
}
