/** Small parts that all views use. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { now } from '../state.ts';
import { ago, countdown, dateTime, type Standing, shortId, standings } from '../words.ts';

export const Status = ({ of }: { of: Standing }) => <span class={`status ${of}`}>{standings[of]}</span>;

export const Ago = ({ at }: { at: number }) => (
  <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
    {ago(now.value - at)}
  </time>
);

export const Owner = ({ id }: { id: string | null }) =>
  id === null ? <span class="muted">no owner</span> : <span title={id}>{shortId(id)}</span>;

/** The remaining time of a prompt or consent. */
export const Countdown = ({ until }: { until: number }) => (
  <time class="countdown" dateTime={new Date(until).toISOString()} title={dateTime(until)}>
    {until <= now.value ? 'due now' : `${countdown(until - now.value)} left`}
  </time>
);

/** The time since then, counting. */
export const Since = ({ at }: { at: number }) => <>{countdown(Math.max(1000, now.value - at))}</>;

export const Card = (props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) => (
  <section class={`card ${props.class ?? ''}`}>
    <header>
      <h2>{props.title}</h2>
      {props.aside}
    </header>
    {props.children}
  </section>
);

export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <Mark />
    <p class="title">{title}</p>
    {children !== undefined && <p>{children}</p>}
  </div>
);

export const Mistake = ({ text }: { text: string | undefined }) =>
  text === undefined ? null : (
    <p class="mistake" role="alert">
      {text}
    </p>
  );

/** The sign of a fermata. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 24" aria-hidden="true">
    <path d="M3 20a13 13 0 0 1 26 0" fill="none" stroke="currentColor" stroke-width="3.4" stroke-linecap="round" />
    <circle cx="16" cy="19.4" r="3.2" fill="currentColor" />
  </svg>
);

export const Copy = ({ text, label }: { text: string; label: string }) => {
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button type="button" class="quiet small" onClick={() => void copy()} aria-label={label}>
      {isDone ? 'Copied' : 'Copy'}
    </button>
  );
};
