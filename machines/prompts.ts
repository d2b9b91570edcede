/** Prompts and answers: plain data, in the form of NAT's clients. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type BinaryOption = { readonly id: string; readonly label: string; readonly value: Json };
export type Option = {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly description: string;
};

export type PromptBase = {
  readonly text: string;
  /** Whole seconds; null: no deadline except that of the execution. */
  readonly timeout: number | null;
  /** The text that a client shows after the deadline. NAT sends it from the start. */
  readonly error: string | null;
};

export type TextPrompt = PromptBase & {
  readonly input_type: 'text';
  readonly placeholder: string | null;
  readonly required: boolean;
};
type NotificationPrompt = PromptBase & { readonly input_type: 'notification' };
type BinaryPrompt = PromptBase & {
  readonly input_type: 'binary_choice';
  readonly options: readonly BinaryOption[];
};
export type ChoiceKind = 'radio' | 'checkbox' | 'dropdown';
export type ChoicePrompt = PromptBase & { readonly options: readonly Option[]; readonly input_type: ChoiceKind };
export type Prompt = TextPrompt | NotificationPrompt | BinaryPrompt | ChoicePrompt;
export type PromptKind = Prompt['input_type'];

export type TextAnswer = { readonly kind: 'text'; readonly text: string };
export type NotificationAnswer = { readonly kind: 'notification'; readonly text: string };
export type BinaryAnswer = { readonly kind: 'binary_choice'; readonly option: BinaryOption; readonly value: Json };
export type OneAnswer = { readonly kind: 'radio' | 'dropdown'; readonly option: Option; readonly value: string };
export type ManyAnswer = {
  readonly kind: 'checkbox';
  readonly options: readonly Option[];
  readonly values: readonly string[];
};
export type Answer = TextAnswer | NotificationAnswer | BinaryAnswer | OneAnswer | ManyAnswer;
