/** Light, dark or the system's theme, remembered in this browser. */
import { effect, signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const KEY = 'fermata.theme';

const kept = (): Theme => themes.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system';

export const theme = signal<Theme>(kept());

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(KEY, theme.value);
});
