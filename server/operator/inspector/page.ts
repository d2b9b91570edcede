/**
 * The page that connects this server to the Stately inspector. It loads no external resources, and the inspector only
 * after a click.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const SCRIPT = readFileSync(new URL('in-browser.mjs', import.meta.url), 'utf8');

const STYLE = `
  :root { color-scheme: light dark; }
  body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  label, input { display: block; }
  input { box-sizing: border-box; width: 100%; max-width: 36rem; margin: 0.3rem 0 0.8rem; }
  input, button { padding: 0.4rem 0.8rem; font: inherit; }
  dl { display: grid; grid-template-columns: max-content auto; gap: 0 1rem; }
  dd { margin: 0; }
  iframe { width: 100%; height: 80vh; border: 1px solid; }
  iframe[hidden] { display: none; }
`;

export const page = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <link rel="icon" href="data:,">
    <title>Inspector - Fermata</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <main>
    <h1>Inspector</h1>
    <p>Shows the actors of this server in the Stately inspector, a page of another company unless you run your
    own. It gets states, events and times. It gets inputs, results, prompts and answers only if the URL of this page ends with
    <code>?payloads=1</code>.</p>
    <p id="payloads" hidden><strong>Payloads are shown to it, too.</strong></p>
    <form>
      <label for="address">Address of the inspector</label>
      <input id="address" type="url" required value="https://stately.ai/inspect">
      <button value="window">Open in a window</button>
      <button value="frame">Open below</button>
      <button id="stop" type="button">Disconnect</button>
    </form>
    <p id="state" role="status">Not connected.</p>
    <dl>
      <dt>Messages passed on</dt><dd id="passed">0</dd>
      <dt>Actors left out at the beginning</dt><dd id="left-out">0</dd>
      <dt>Events dropped</dt><dd id="dropped">0</dd>
    </dl>
    <iframe title="Stately inspector" hidden referrerpolicy="no-referrer"></iframe>
    </main>
    <script type="module">${SCRIPT}</script>
  </body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Frames are created by a click only. */
export const pagePolicy = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  'img-src data:',
  "connect-src 'self'",
  'frame-src https: http:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
