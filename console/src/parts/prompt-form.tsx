/** A form for each kind of prompt, and the link to a consent. */
import { useId, useState } from 'preact/hooks';
import type { AnswerValue, OpenInteraction } from '../../../client/index.ts';
import { api, isShutOut, messageOf, root } from '../state.ts';
import { Mistake } from './bits.tsx';

type Prompt = OpenInteraction['prompt'];
type Kind<K extends Prompt['input_type']> = Extract<Prompt, { input_type: K }>;
type Choices = Extract<Prompt, { input_type: 'radio' | 'checkbox' | 'dropdown' }>;

interface Form<P extends Prompt> {
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
  switch (prompt.input_type) {
    case 'text':
      return <TextForm prompt={prompt} {...rest} />;
    case 'notification':
      return <Acknowledge prompt={prompt} {...rest} />;
    case 'binary_choice':
      return <EitherForm prompt={prompt} {...rest} />;
    case 'dropdown':
      return <MenuForm prompt={prompt} {...rest} />;
    default:
      return <ListForm prompt={prompt} {...rest} />;
  }
};

const TextForm = ({ prompt, isBusy, answer }: Form<Kind<'text'>>) => {
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
        required={prompt.required}
        placeholder={prompt.placeholder ?? ''}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Submit isBusy={isBusy}>Send answer</Submit>
    </form>
  );
};

const Acknowledge = ({ isBusy, answer }: Form<Kind<'notification'>>) => (
  <div class="actions">
    <button type="button" class="primary" disabled={isBusy} onClick={() => answer('Seen.')}>
      Got it
    </button>
  </div>
);

const EitherForm = ({ prompt, isBusy, answer }: Form<Kind<'binary_choice'>>) => (
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
      {chosen?.description && <p class="hint">{chosen.description}</p>}
      <Submit isBusy={isBusy}>Send answer</Submit>
    </form>
  );
};

/** One option of a list, or any number of options. */
const ListForm = ({ prompt, isBusy, answer }: Form<Choices>) => {
  const name = useId();
  const isMany = prompt.input_type === 'checkbox';
  const [ids, setIds] = useState<readonly string[]>([]);
  const pick = (id: string, isPicked: boolean): void => {
    const others = isMany ? ids.filter((other) => other !== id) : [];
    setIds(isPicked ? [...others, id] : others);
  };
  return (
    <form onSubmit={(event) => submitted(event, () => answer(isMany ? ids : (ids[0] ?? '')))}>
      <fieldset class="options">
        <legend class="hidden">{prompt.text}</legend>
        {prompt.options.map(({ id, label, description }) => (
          <label key={id} class="option">
            <input
              type={isMany ? 'checkbox' : 'radio'}
              name={name}
              required={!isMany}
              checked={ids.includes(id)}
              onChange={(event) => pick(id, event.currentTarget.checked)}
            />
            <span>
              {label}
              {description && <small>{description}</small>}
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
