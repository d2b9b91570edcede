/**
 * A chat page that follows the rules of NVIDIA's: what it takes of a server's messages, what it ignores, and where it fails.
 * Its gateway reads streams line by line, as theirs does.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { loopback } from '../../support/loopback.ts';

/** `backend` is asked for each request, since a server that restarts may move. */
export const openChatPage = async (t: TestContext, backend: () => string): Promise<string> => {
  const { server, origin } = await loopback(t);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET') response.writeHead(200, { 'content-type': 'text/html' }).end(page(backend()));
    else void pass(request, response, backend());
  });
  return origin;
};

/** What the page gets of `/chat/stream`: texts as they are, steps and traces in marks, errors as JSON. */
const pass = async (request: IncomingMessage, response: ServerResponse, backend: string): Promise<void> => {
  const reply = await fetch(backend + request.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'conversation-id': 'c-http',
      'user-message-id': 'm-http',
      origin: 'http://gateway.example',
      cookie: 'nemo-agent-toolkit-session=s',
    },
    body: await text(request),
  });
  const body = await reply.text();
  if (!reply.ok || !request.url?.endsWith('/stream')) {
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(body);
    return;
  }
  let shown = '';
  const lines = body.split('\n');
  const rest = lines.pop() ?? ''; // a last line without its end is lost, unless it is an error
  for (const line of lines) {
    if (/^data: (?:\[DONE\]|DONE)/.test(line)) break;
    if (line.startsWith('data: ')) {
      const [choice] = parsed(line.slice(6)).choices ?? [];
      shown += choice?.message?.content || choice?.delta?.content || '';
    } else if (line.startsWith('intermediate_data: ')) {
      shown += `<step>${parsed(line.slice('intermediate_data: '.length)).name}</step>`;
    } else if (line.startsWith('observability_trace: ')) {
      shown += `<trace>${parsed(line.slice('observability_trace: '.length)).observability_trace_id}</trace>`;
    } else if (line.trim().startsWith('{')) shown += line.trim();
  }
  if (rest.trim().startsWith('{')) shown += rest.trim();
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(shown);
};

// biome-ignore lint/suspicious/noExplicitAny: of whatever shape a server sends
const parsed = (json: string): any => {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
};

const page = (backend: string): string => `<!doctype html><meta charset="utf-8"><title>Chat</title>
<ul id="talk"></ul><div id="popup"></div><div id="modal"></div><p id="wait">idle</p><p id="trace"></p>
<script>
const at = '${backend.replace(/^http/, 'ws')}/websocket?session=ui-session&conversation_id=c-1';
const known = ['system_response_message', 'system_intermediate_message', 'system_interaction_message', 'error_message',
  'observability_trace_message', 'auth_response_message'];
const $ = (id) => document.getElementById(id);
let socket, answer, count = 0, tries = 0, completedAt = 0;
const popup = (words) => { $('popup').textContent += words + '\\n'; };

/** Appends to the answer that is being given; begins one if the last words are a person's. */
const current = () => {
  if (answer === undefined) {
    answer = document.createElement('li');
    answer.className = 'assistant';
    answer.append(Object.assign(document.createElement('span'), { className: 'text' }),
      Object.assign(document.createElement('span'), { className: 'steps' }));
    $('talk').append(answer);
  }
  return answer;
};

const shown = (message) => {
  const { type, content, status } = message;
  if (!known.includes(type)) return popup('unknown type ' + type);
  if (!message.conversation_id) return popup('no conversation_id in ' + type);
  if (type === 'system_response_message') {
    if (status === 'in_progress') current().querySelector('.text').textContent += content.text ?? '';
    if (status === 'complete') { $('wait').textContent = 'idle'; answer = undefined; completedAt = performance.now(); }
  } else if (type === 'system_intermediate_message') {
    current().querySelector('.steps').textContent += '[' + content.name + ']';
  } else if (type === 'error_message') {
    if (answer !== undefined) current().append(Object.assign(document.createElement('b'),
      { className: 'error', textContent: content.message + ': ' + content.details }));
  } else if (type === 'observability_trace_message') {
    if (performance.now() - completedAt < 200) $('trace').textContent = content.observability_trace_id;
  } else if (type === 'system_interaction_message') ask(message);
};

/** Checkboxes and dropdowns have no controls. A value that is no text would break the page. */
const ask = (message) => {
  const { content } = message;
  const modal = $('modal');
  modal.replaceChildren(Object.assign(document.createElement('p'), { textContent: content.text }));
  if (content.input_type === 'notification') return;
  const choose = (text) => {
    modal.replaceChildren();
    socket.send(JSON.stringify({ type: 'user_interaction_message', id: 'i-' + ++count, thread_id: message.thread_id,
      parent_id: message.parent_id, conversation_id: 'c-1',
      content: { messages: [{ role: 'user', content: [{ type: 'text', text }] }] }, timestamp: new Date().toISOString() }));
  };
  if (content.input_type === 'text') {
    const field = document.createElement('input');
    field.placeholder = content.placeholder ?? '';
    field.onchange = () => choose(field.value);
    modal.append(field);
  } else for (const option of content.options ?? []) {
    const button = document.createElement('button');
    button.textContent = option.label;
    button.onclick = () => choose(option.value.trim());
    modal.append(button);
  }
};

const connect = () => {
  socket = new WebSocket(at);
  socket.onopen = () => { tries = 0; };
  socket.onmessage = ({ data }) => {
    try { shown(JSON.parse(data)); } catch (error) { popup(String(error)); }
  };
  socket.onclose = () => { if (tries++ < 3) setTimeout(connect, 1000); };
};
connect();

window.say = (text, schema_type = 'chat_stream') => {
  $('talk').append(Object.assign(document.createElement('li'), { className: 'user', textContent: text }));
  $('wait').textContent = 'waiting';
  answer = undefined;
  socket.send(JSON.stringify({ type: 'user_message', schema_type, id: 'm-' + ++count, conversation_id: 'c-1',
    content: { messages: [{ role: 'user', content: [{ type: 'text', text }] }] }, timestamp: new Date().toISOString() }));
};
window.isOpen = () => socket.readyState === WebSocket.OPEN;
window.post = async (path, body) => {
  const reply = await fetch(path, { method: 'POST', body: JSON.stringify(body) });
  return { status: reply.status, text: await reply.text() };
};
</script>`;
