/**
 * What a run shows in a terminal. Its output goes to standard output, as it is; all that is for people goes to standard
 * error, so that the output can be piped. Where that is no terminal there is no colour and nothing moves.
 */
import type { Streams } from '../host.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const ERASE_LINE = '\r\u001b[K';

export class Screen {
  readonly #streams: Pick<Streams, 'stdout' | 'stderr'>;
  #spinner: NodeJS.Timeout | undefined;
  #doing = '';
  #frame = 0;
  /** Whether the last line of the output is still open: then nothing may be written over it. */
  #isMidLine = false;

  constructor(streams: Pick<Streams, 'stdout' | 'stderr'>) {
    this.#streams = streams;
  }

  /** A text as it is, anything else as a line of JSON. */
  output(value: unknown): void {
    if (typeof value === 'string') this.#print(value);
    else this.#print(`${this.#isMidLine ? '\n' : ''}${this.#json(value)}\n`);
  }

  /** The last thing that is put out. Of a run that has nothing to say there is nothing. */
  result(value: unknown): void {
    if (value !== null && value !== undefined) this.output(value);
    if (this.#isMidLine) this.#print('\n');
  }

  /** Says something to whoever watches, on lines of its own. */
  say(text: string): void {
    this.rest();
    this.#endLine();
    this.#streams.stderr.write(`${shown(text)}\n`);
  }

  /** Shows that something is going on, until something else is shown. */
  busy(doing: string): void {
    if (!this.#streams.stderr.isTTY || (this.#isMidLine && this.#streams.stdout.isTTY)) return;
    this.#doing = shown(doing).replaceAll(/\s+/g, ' ');
    this.#spinner ??= setInterval(() => this.#spin(), FRAME_MS);
  }

  rest(): void {
    if (this.#spinner === undefined) return;
    clearInterval(this.#spinner);
    this.#spinner = undefined;
    this.#streams.stderr.write(ERASE_LINE);
  }

  /** Before somebody else writes to the terminal. */
  clear(): void {
    this.rest();
    this.#endLine();
  }

  #spin(): void {
    this.#frame = (this.#frame + 1) % FRAMES.length;
    const room = Math.max(10, (this.#streams.stderr.columns ?? 80) - 3);
    this.#streams.stderr.write(`${ERASE_LINE}${FRAMES[this.#frame]} ${this.#doing.slice(0, room)}`);
  }

  #print(text: string): void {
    if (text === '') return;
    this.rest();
    this.#streams.stdout.write(text);
    this.#isMidLine = !text.endsWith('\n');
  }

  #endLine(): void {
    if (this.#isMidLine && this.#streams.stdout.isTTY) this.#print('\n');
  }

  /** For people it is laid out; for programs it is one line. */
  #json(value: unknown): string {
    return JSON.stringify(value, null, this.#streams.stdout.isTTY ? 2 : 0);
  }
}

/** Without characters that would steer the terminal: what is shown may come from anywhere. */
export const shown = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, '');
