/** The current view: the part of the address after `#`, which is not sent to the server. */
import { computed, signal } from '@preact/signals';

export type Place = { readonly view: string; readonly id: string | undefined; readonly query: URLSearchParams };

const read = (): string => location.hash.replace(/^#\/?/, '');

const hash = signal(read());
addEventListener('hashchange', () => {
  hash.value = read();
});

/** `#/executions/abc?status=running` */
export const place = computed<Place>(() => {
  const [path = '', query = ''] = hash.value.split('?', 2);
  const [view = '', id] = path.split('/');
  return {
    view: view || 'executions',
    id: id === undefined ? undefined : decodeURIComponent(id),
    query: new URLSearchParams(query),
  };
});

export const hrefOf = (view: string, id?: string): string =>
  id === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`;

export const go = (href: string): void => {
  location.hash = href;
};

/** Changes the query of the current view, without an entry in the history. */
export const filterBy = (changed: Readonly<Record<string, string>>): void => {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changed)) value === '' ? query.delete(name) : query.set(name, value);
  const path = `#/${place.value.view}`;
  history.replaceState(null, '', query.size === 0 ? path : `${path}?${query}`);
  hash.value = read();
};
