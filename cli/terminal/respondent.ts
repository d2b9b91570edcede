/** The source of answers for a run: a person at the terminal, or the command line. */
import type { Prompt, Response } from '../../runtime/index.ts';

/**
 * Returns the response to a prompt, or null to end the run. The signal is aborted when the prompt closes; a later
 * response is ignored. Rejects with `options_invalid` if there is no answer.
 */
export type Respondent = (prompt: Prompt, signal: AbortSignal) => Promise<Response | null>;

/** Found by id, because two values may be equal. */
export const chosen = ({ input_type: kind }: Prompt, ids: readonly string[]): Response => ({
  kind,
  picks: ids.map((id) => ({ id })),
});
