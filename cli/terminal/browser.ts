/** Opens a page in the browser of this machine. */
import { spawn } from 'node:child_process';

const openers: Partial<Record<NodeJS.Platform, readonly [command: string, ...parameters: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Without a browser nothing happens: the link is printed too. Only http and https URLs are opened. */
export const openInBrowser = (url: string): void => {
  if (!/^https?:$/.test(new URL(url).protocol)) return;
  const [command, ...parameters] = openers[process.platform] ?? ['xdg-open'];
  spawn(command, [...parameters, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
};
