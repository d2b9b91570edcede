/** All prompts and consents that wait for a person, the longest waiting first, with forms. */
import type { InboxItem } from '../../../client/index.ts';
import { useLive } from '../live.ts';
import { Ago, Countdown, Empty, Mistake } from '../parts/bits.tsx';
import { ConsentLink, PromptForm } from '../parts/prompt-form.tsx';
import { hrefOf } from '../route.ts';
import { api } from '../state.ts';

export const MOST = 100;

export const Inbox = () => {
  const { value, error } = useLive(() => api.inbox(MOST), 'inbox');
  return (
    <>
      <header class="top">
        <h1>Inbox</h1>
        {value !== undefined && value.length > 0 && (
          <span class="count">{value.length === MOST ? `The first ${MOST}` : `${value.length} open`}</span>
        )}
      </header>
      <Mistake text={error} />
      {value?.length === 0 && (
        <Empty title="The inbox is empty">Prompts and consents appear here while runs wait for them.</Empty>
      )}
      <ul class="inbox">
        {value?.map((item) => (
          <li key={item.status === 'oauth_required' ? item.oauth_state : item.interaction_id} class="card">
            <Item item={item} />
          </li>
        ))}
      </ul>
    </>
  );
};

const Item = ({ item }: { item: InboxItem }) => (
  <>
    <header>
      <a href={hrefOf('executions', item.execution_id)}>{item.workflow}</a>
      <span class="hint">
        asked <Ago at={Date.parse(item.opened_at)} />
        {item.due_at !== null && (
          <>
            {' · '}
            <Countdown until={Date.parse(item.due_at)} />
          </>
        )}
      </span>
    </header>
    {item.status === 'oauth_required' ? (
      <ConsentLink url={item.auth_url} />
    ) : (
      <PromptForm executionId={item.execution_id} id={item.interaction_id} prompt={item.prompt} />
    )}
  </>
);
