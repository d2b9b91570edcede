/** The parts of NAT's routes. */
import type { Workflow } from '../../runtime/index.ts';
import type { App } from '../protocol.ts';
import type { ReturnPages } from './consent-links.ts';
import type { ConsentPages } from './consent-pages.ts';

export interface NatApp extends App {
  readonly consents: ConsentPages;
  readonly returnPages: ReturnPages;
}

/** A workflow at one of its paths. */
export interface Placed {
  readonly workflow: Workflow;
  /** The name of the workflow in steps; undefined for the server's default. */
  readonly functionName: string | undefined;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** NAT's older paths, where a run never pauses. */
  readonly isLegacy: boolean;
}
