/** Who answers what a run asks: somebody at the terminal, or whoever typed the command. */
import type { Prompt, Response } from '../../runtime/index.ts';

/**
 * Gives the response to a prompt, or null if they would rather end the run. Aborted when the prompt is no longer
 * open; what it gives then is not looked at. Rejects with `options_invalid` if there will be no answer.
 */
export type Respondent = (prompt: Prompt, signal: AbortSignal) => Promise<Response | null>;

/** By id, since values may be alike. */
export const chosen = ({ input_type: kind }: Prompt, ids: readonly string[]): Response => ({
  kind,
  picks: ids.map((id) => ({ id })),
});
