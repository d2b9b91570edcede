/** A form for each kind of prompt, and the link to a consent. */
import { useId, useState } from 'preact/hooks';
import type { AnswerValue, OpenInteraction } from '../../../client/index.ts';
import { aboutPrompt, optionsOf } from '../../../machines/prompt-table.ts';
import type { BinaryOption, Option } from '../../../machines/prompts.ts';
import { api, isShutOut, messageOf, root } from '../state.ts';
import { Mistake } from './bits.tsx';

type Prompt = OpenInteraction['prompt'];
type Choices = {
  readonly text: string;
  readonly options: readonly (BinaryOption | Option)[];
  readonly isMany: boolean;
};

interface Form<P> {
  readonly prompt: P;
  readonly isBusy: boolean;
  readonly answer: (value: AnswerValue) => void;
}

export const PromptForm = ({ executionId, id, prompt }: { executionId: string; id: string; prompt: Prompt }) => {
  const [state, setState] = useState<{ is: 'open' | 'busy' | 'answered'; mistake?: string }>({ is: 'open' });
  const answer = async (value: AnswerValue): Promise<void> => {
    setState({ is: 'busy' });
    try {
      const response_url = `${root}/executions/${encodeURIComponent(executionId)}/interactions/${encodeURIComponent(id)}/response`;
      await api.answer({ prompt, response_url }, value);
      setState({ is: 'answered' });
    } catch (error) {
      if (!isShutOut(error)) setState({ is: 'open', mistake: messageOf(error) });
    }
  };
  if (state.is === 'answered') {
    return (
      <p class="done" role="status">
        Answered. Thank you.
      </p>
    );
  }
  return (
    <div class="prompt">
      <p class="question">{prompt.text}</p>
      <Fitting prompt={prompt} isBusy={state.is === 'busy'} answer={(value) => void answer(value)} />
      <Mistake text={state.mistake} />
    </div>
  );
};

const Fitting = ({ prompt, ...rest }: Form<Prompt>) => {
  const { takes, look } = aboutPrompt(prompt.input_type);
  if (takes === 'text') return <TextForm prompt={prompt} {...rest} />;
  if (takes === 'acknowledgement') return <Acknowledge {...rest} />;
  const choices: Choices = { text: prompt.text, options: optionsOf(prompt), isMany: takes === 'many' };
  if (look === 'buttons') return <EitherForm prompt={choices} {...rest} />;
  return look === 'menu' ? <MenuForm prompt={choices} {...rest} /> : <ListForm prompt={choices} {...rest} />;
};

const TextForm = ({ prompt, isBusy, answer }: Form<Prompt>) => {
  const [text, setText] = useState('');
  const send = (event: Event): void => {
    event.preventDefault();
    answer(text);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) send(event);
  };
  return (
    <form onSubmit={send}>
      <textarea
        aria-label={prompt.text}
        rows={3}
        required={!('required' in prompt) || prompt.required}
        placeholder={('placeholder' in prompt ? prompt.placeholder : null) ?? ''}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Submit isBusy={isBusy}>Send answer</Submit>
    </form>
  );
};

const Acknowledge = ({ isBusy, answer }: Omit<Form<Prompt>, 'prompt'>) => (
  <div class="actions">
    <button type="button" class="primary" disabled={isBusy} onClick={() => answer('Seen.')}>
      Got it
    </button>
  </div>
);

const EitherForm = ({ prompt, isBusy, answer }: Form<Choices>) => (
  // biome-ignore lint/a11y/useSemanticElements: two buttons are no fieldset
  <div class="actions" role="group" aria-label={prompt.text}>
    {prompt.options.map(({ id, label }, index) => (
      <button key={id} type="button" class={index === 0 ? 'primary' : ''} disabled={isBusy} onClick={() => answer(id)}>
        {label}
      </button>
    ))}
  </div>
);

const MenuForm = ({ prompt, isBusy, answer }: Form<Choices>) => {
  const [id, setId] = useState('');
  const chosen = prompt.options.find((option) => option.id === id);
  return (
    <form onSubmit={(event) => submitted(event, () => answer(id))}>
      <select aria-label={prompt.text} required value={id} onChange={(event) => setId(event.currentTarget.value)}>
        <option value="" disabled>
          Choose one
        </option>
        {prompt.options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.label}
          </option>
        ))}
      </select>
      {chosen !== undefined && descriptionOf(chosen) && <p class="hint">{descriptionOf(chosen)}</p>}
      <Submit isBusy={isBusy}>Send answer</Submit>
    </form>
  );
};

/** One option of a list, or any number of options. */
const ListForm = ({ prompt, isBusy, answer }: Form<Choices>) => {
  const name = useId();
  const { isMany } = prompt;
  const [ids, setIds] = useState<readonly string[]>([]);
  const pick = (id: string, isPicked: boolean): void => {
    const others = isMany ? ids.filter((other) => other !== id) : [];
    setIds(isPicked ? [...others, id] : others);
  };
  return (
    <form onSubmit={(event) => submitted(event, () => answer(isMany ? ids : (ids[0] ?? '')))}>
      <fieldset class="options">
        <legend class="hidden">{prompt.text}</legend>
        {prompt.options.map((option) => (
          <label key={option.id} class="option">
            <input
              type={isMany ? 'checkbox' : 'radio'}
              name={name}
              required={!isMany}
              checked={ids.includes(option.id)}
              onChange={(event) => pick(option.id, event.currentTarget.checked)}
            />
            <span>
              {option.label}
              {descriptionOf(option) && <small>{descriptionOf(option)}</small>}
            </span>
          </label>
        ))}
      </fieldset>
      <Submit isBusy={isBusy}>
        {isMany ? (ids.length === 0 ? 'Choose none' : `Send ${ids.length} chosen`) : 'Send answer'}
      </Submit>
    </form>
  );
};

const descriptionOf = (option: BinaryOption | Option): string => ('description' in option ? option.description : '');

const submitted = (event: Event, send: () => void): void => {
  event.preventDefault();
  send();
};

const Submit = ({ isBusy, children }: { isBusy: boolean; children: string | string[] }) => (
  <div class="actions">
    <button type="submit" class="primary" disabled={isBusy}>
      {children}
    </button>
  </div>
);

/** A link that opens in a new tab. The provider's page gets no access to this page. */
export const ConsentLink = ({ url, provider }: { url: string; provider?: string | undefined }) => (
  <div class="prompt">
    <p class="question">
      {provider === undefined ? 'A provider asks for your consent.' : `${provider} asks for your consent.`}
    </p>
    {/^https?:\/\//.test(url) ? (
      <div class="actions">
        <a class="button primary" href={url} target="_blank" rel="noopener noreferrer">
          Open consent page<span class="hidden"> in a new tab</span> <span aria-hidden="true">↗</span>
        </a>
        <span class="hint">{new URL(url).host}</span>
      </div>
    ) : (
      <Mistake text="The consent page is no web address." />
    )}
  </div>
);
