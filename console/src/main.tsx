import { render } from 'preact';
import { App } from './app.tsx';
import { enter } from './state.ts';
import './theme.ts';
import './style/base.css';
import './style/controls.css';
import './style/frame.css';
import './style/views.css';
import './style/list.css';
import './style/prompts.css';
import './style/builders.css';
import './style/timeline.css';

render(<App />, document.querySelector('#app')!);
void enter();
