/** The frame of the page: navigation, connection state, and the current view. */
import { useEffect, useRef } from 'preact/hooks';
import { useLive } from './live.ts';
import { Mark } from './parts/bits.tsx';
import { hrefOf, place } from './route.ts';
import { api, connection, hasSignedIn, root, session, signOut } from './state.ts';
import { theme, themes } from './theme.ts';
import { Builders } from './views/builders.tsx';
import { Execution } from './views/execution.tsx';
import { Executions } from './views/executions.tsx';
import { Inbox, MOST } from './views/inbox.tsx';
import { SignIn } from './views/sign-in.tsx';
import { Start } from './views/start.tsx';

export const App = () => {
  const { value } = session;
  if (value.is === 'shut') return <SignIn reason={value.reason} />;
  if (value.is === 'asking') {
    return (
      <main class="sign-in" aria-busy="true">
        <Connection />
      </main>
    );
  }
  return <Frame />;
};

const views = [
  ['executions', 'Executions', 'M3 4.5h10M3 8h10M3 11.5h6'],
  ['inbox', 'Inbox', 'M2.5 9.5 4 3.5h8l1.5 6v3h-11zM2.5 9.5h3.2a2.3 2.3 0 0 0 4.6 0h3.2'],
  ['builders', 'Builders', 'M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z'],
  ['start', 'Start a run', 'M5 3.5v9l7.5-4.5z'],
] as const;

const Frame = () => {
  const { view, id } = place.value;
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const title = views.find(([name]) => name === view)?.[1] ?? 'Not found';
  useEffect(() => {
    document.title = `${id ?? title} · Fermata`;
    scrollTo(0, 0);
    if (!isFirst.current) main.current?.focus(); // so that screen readers announce the new view
    isFirst.current = false;
  }, [view, id]);
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <aside>
        <a class="brand" href={hrefOf('executions')}>
          <Mark />
          Fermata
        </a>
        <nav aria-label="Console">
          {views.map(([name, label, drawing]) => (
            <a key={name} href={hrefOf(name)} aria-current={name === view ? 'page' : undefined}>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path
                  d={drawing}
                  fill="none"
                  stroke="currentColor"
                  stroke-width="1.5"
                  stroke-linejoin="round"
                  stroke-linecap="round"
                />
              </svg>
              <span>{label}</span>
              {name === 'inbox' && <Waiting />}
            </a>
          ))}
        </nav>
        <footer>
          <Connection />
          <ThemeSwitch />
          <p class="links">
            <a href={`${root}/docs`}>API reference</a>
            {hasSignedIn() && (
              <button type="button" class="quiet small" onClick={() => void signOut()}>
                Sign out
              </button>
            )}
          </p>
        </footer>
      </aside>
      <main id="main" ref={main} tabIndex={-1}>
        {viewOf(view, id)}
      </main>
    </div>
  );
};

const viewOf = (view: string, id: string | undefined) => {
  switch (view) {
    case 'executions':
      return id === undefined ? <Executions /> : <Execution key={id} id={id} />;
    case 'inbox':
      return <Inbox />;
    case 'builders':
      return <Builders />;
    case 'start':
      return <Start name={id} />;
    default:
      return <h1>There is no such page</h1>;
  }
};

/** Number of open prompts and consents. */
const Waiting = () => {
  const { value } = useLive(() => api.inbox(MOST), 'inbox');
  if (value === undefined || value.length === 0) return null;
  return (
    <span class="badge">
      {value.length === MOST ? `${MOST - 1}+` : value.length}
      <span class="hidden"> open</span>
    </span>
  );
};

const words = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const;

const Connection = () => (
  <p class={`connection ${connection.value}`} role="status">
    {words[connection.value]}
  </p>
);

const ThemeSwitch = () => (
  <fieldset class="themes">
    <legend class="hidden">Theme</legend>
    {themes.map((name) => (
      <label key={name}>
        <input
          type="radio"
          name="theme"
          checked={theme.value === name}
          onChange={() => {
            theme.value = name;
          }}
        />
        {name === 'system' ? 'Auto' : name === 'light' ? 'Light' : 'Dark'}
      </label>
    ))}
  </fieldset>
);
