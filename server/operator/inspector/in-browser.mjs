/**
 * Runs in the page of the inspector: passes messages of the server's socket on to the Stately inspector, which is
 * another page, in a window or a frame. The socket is open only while an inspector listens.
 */

const form = document.querySelector('form');
const address = document.querySelector('#address');
const frame = document.querySelector('iframe');
const shown = {
  state: document.querySelector('#state'),
  passed: document.querySelector('#passed'),
  leftOut: document.querySelector('#left-out'),
  dropped: document.querySelector('#dropped'),
};

/** Delay before a reconnect, and interval of checks whether the window is still open. */
const RETRY_MS = 2_000;
const LOOK_MS = 1_000;

document.querySelector('#payloads').hidden = new URLSearchParams(location.search).get('payloads') !== '1';

/** The inspector that was opened last: its window, its origin, and the socket once it listens. */
let inspector;

const say = (text) => {
  shown.state.textContent = text;
};

const count = ({ type, sessionId, snapshot }) => {
  shown.passed.textContent = String(Number(shown.passed.textContent) + 1);
  if (sessionId !== 'inspection' || type === '@xstate.event') return;
  shown.leftOut.textContent = String(snapshot.context.leftOut);
  shown.dropped.textContent = String(snapshot.context.dropped);
};

const connect = (to) => {
  const { origin, pathname, search } = location;
  const at = origin.replace(/^http/, 'ws') + pathname.replace(/\/$/, '');
  const socket = new WebSocket(`${at}/socket${search}`);
  to.socket?.close();
  to.socket = socket;
  shown.passed.textContent = '0';
  socket.onopen = () => say(`Connected. ${to.origin} is shown what happens here.`);
  socket.onmessage = ({ data }) => {
    if (to.socket !== socket) return;
    const message = JSON.parse(data);
    count(message);
    to.window().postMessage(message, to.origin);
  };
  socket.onclose = () => {
    if (to.socket !== socket || inspector !== to) return;
    say('The server has closed the connection; trying again.');
    setTimeout(() => to.socket === socket && inspector === to && connect(to), RETRY_MS);
  };
};

const leave = () => {
  const left = inspector;
  inspector = undefined;
  if (left === undefined) return;
  clearInterval(left.look);
  left.socket?.close();
  left.window()?.postMessage({ type: '@statelyai.disconnected' }, left.origin);
  frame.hidden = true;
};

addEventListener('message', ({ source, origin, data }) => {
  if (inspector === undefined || source !== inspector.window() || data?.type !== '@statelyai.connected') return;
  if (origin === inspector.origin) connect(inspector);
  else say(`Nothing is sent: the page that answers is of ${origin}. If that is right, open its address.`);
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  leave();
  const { href, origin } = new URL(address.value);
  say(`Waiting for ${origin} to listen.`);
  if (event.submitter.value === 'frame') {
    inspector = { origin, window: () => frame.contentWindow };
    frame.hidden = false;
    frame.src = href;
    return;
  }
  const opened = open(href, 'xstateinspector');
  if (opened === null) {
    say('The browser does not let this page open a window.');
    return;
  }
  const look = setInterval(() => {
    if (!opened.closed) return;
    leave();
    say('The window of the inspector is closed.');
  }, LOOK_MS);
  inspector = { origin, window: () => opened, look };
});

document.querySelector('#stop').addEventListener('click', () => {
  leave();
  say('Not connected.');
});
addEventListener('pagehide', () => {
  leave();
  say('Not connected.'); // for a person who returns to the page
});
