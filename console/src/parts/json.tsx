/** A value as JSON, coloured by type. */
import type { JSX } from 'preact';

export const Json = ({ value, label }: { value: unknown; label: string }) => (
  // What scrolls has to be reachable by keyboard.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
  <section class="json" tabIndex={0} aria-label={label}>
    <pre>{coloured(JSON.stringify(value, null, 2) ?? 'undefined')}</pre>
  </section>
);

/** A value longer than this is shown without colours. */
const MOST = 100_000;

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d[\d.eE+-]*)/g;

const coloured = (text: string): (string | JSX.Element)[] => {
  if (text.length > MOST) return [text];
  const parts: (string | JSX.Element)[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, quoted, colon, word] = match;
    const kind = colon !== undefined ? 'key' : quoted !== undefined ? 'text' : word !== undefined ? 'word' : 'number';
    parts.push(text.slice(from, match.index), <span class={kind}>{colon === undefined ? whole : quoted}</span>);
    from = match.index + (colon === undefined ? whole : quoted!).length;
  }
  return [...parts, text.slice(from)];
};
