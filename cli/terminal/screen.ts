/**
 * The terminal output of a run. The run's output goes to standard output unchanged; everything for people goes to
 * standard error, so that the output can be piped. Outside of a terminal there are no colours and no animation.
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
  /** Whether the last line of the output is incomplete. Then nothing may overwrite it. */
  #isMidLine = false;

  constructor(streams: Pick<Streams, 'stdout' | 'stderr'>) {
    this.#streams = streams;
  }

  /** A text unchanged, any other value as a line of JSON. */
  output(value: unknown): void {
    if (typeof value === 'string') this.#print(value);
    else this.#print(`${this.#isMidLine ? '\n' : ''}${this.#json(value)}\n`);
  }

  /** Prints the result. A run without a result prints nothing. */
  result(value: unknown): void {
    if (value !== null && value !== undefined) this.output(value);
    if (this.#isMidLine) this.#print('\n');
  }

  /** Prints a message for people, on separate lines. */
  say(text: string): void {
    this.rest();
    this.#endLine();
    this.#streams.stderr.write(`${shown(text)}\n`);
  }

  /** Shows a progress indicator until something else is shown. */
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

  /** Stops the indicator before other code writes to the terminal. */
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

  /** Indented for people; one line for programs. */
  #json(value: unknown): string {
    return JSON.stringify(value, null, this.#streams.stdout.isTTY ? 2 : 0);
  }
}

/** Without control characters: the text may come from anywhere. */
export const shown = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, '');
