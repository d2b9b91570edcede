/** Shows a page to whoever sits before this machine. */
import { spawn } from 'node:child_process';

const openers: Partial<Record<NodeJS.Platform, readonly [command: string, ...parameters: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Where no browser opens nothing happens: the link has been printed too. Other addresses than pages are not opened. */
export const openInBrowser = (url: string): void => {
  if (!/^https?:$/.test(new URL(url).protocol)) return;
  const [command, ...parameters] = openers[process.platform] ?? ['xdg-open'];
  spawn(command, [...parameters, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
};
