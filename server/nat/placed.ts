/** What NAT's routes are made of. */
import type { Workflow } from '../../runtime/index.ts';
import type { App } from '../protocol.ts';
import type { ConsentPages } from './consent-pages.ts';

export interface NatApp extends App {
  readonly consents: ConsentPages;
}

/** A workflow at one of its paths. */
export interface Placed {
  readonly workflow: Workflow;
  /** What the steps call the workflow; undefined for that of the server. */
  readonly functionName: string | undefined;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** NAT's older paths, where a run never pauses. */
  readonly isLegacy: boolean;
}
