/** The source of answers for a run: a person at the terminal, or the command line. */
import type { Option, Prompt, Response } from '../../runtime/index.ts';

/**
 * Returns the response to a prompt, or null to end the run. The signal is aborted when the prompt closes; a later
 * response is ignored. Rejects with `options_invalid` if there is no answer.
 */
export type Respondent = (prompt: Prompt, signal: AbortSignal) => Promise<Response | null>;

/** The options of a prompt: two with any values, or several with texts. */
export type Choosable = Pick<Option, 'id' | 'label'> & { readonly value: unknown; readonly description?: string };

export const optionsOf = (prompt: Prompt): readonly Choosable[] => ('options' in prompt ? prompt.options : []);

/** Found by id, because two values may be equal. */
export const chosen = ({ input_type: kind }: Prompt, ids: readonly string[]): Response => ({
  kind,
  picks: ids.map((id) => ({ id })),
});
