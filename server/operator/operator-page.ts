/** Shown to a browser instead of a page for operators: asks for the key, and then returns to that page. */
import { createHash } from 'node:crypto';
import { escapeHtml } from '../http/escape-html.ts';
import type { Reply } from '../http/route.ts';

const STYLE = `
  :root { color-scheme: light dark; }
  body { max-width: 24rem; margin: 4rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  label, input { display: block; }
  input { box-sizing: border-box; width: 100%; margin: 0.3rem 0 0.8rem; }
  input, button { padding: 0.4rem 0.8rem; font: inherit; }
`;

const SCRIPT = `
  const form = document.querySelector('form');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ key: form.elements.key.value });
    const reply = await fetch(form.dataset.path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    if (reply.ok) location.reload();
    else document.querySelector('#state').textContent = 'This is not the operator key.';
  });
`;

/** Whether a person reads the refusal. */
export const wantsPage = (accept = ''): boolean => accept.includes('text/html');

/** `path` is that of the sign-in route. */
export const signInPage = (path: string): Reply<never> => ({
  status: 403,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  },
  body: `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <link rel="icon" href="data:,">
    <title>Sign in - Fermata</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <main>
    <h1>For operators</h1>
    <form data-path="${escapeHtml(path)}">
      <label for="key">Operator key</label>
      <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
      <button>Sign in</button>
    </form>
    <p id="state" role="alert"></p>
    </main>
    <script type="module">${SCRIPT}</script>
  </body>
</html>
`,
});

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
